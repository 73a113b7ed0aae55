"""The voucher service, wired: registries and pure functions handed to the runtime. Nothing connects at import."""

from schemas.previews import PREVIEW_EXECUTION
from schemas.vouchers import CHANGED, COMMANDS, REJECTIONS
from services.voucher.changes import changes
from services.voucher.decider import DECIDER
from services.voucher.identities import check_event, check_state
from services.voucher.previewing import preview_execution
from services.voucher.waking import wake
from shared.runtime.app import run as run_service
from shared.runtime.service import Previewed, Service
from shared.settings import Settings

SERVICE = Service(
    name="voucher",
    commands=COMMANDS,
    rejections=REJECTIONS,
    decider=DECIDER,
    check_event=check_event,
    check_state=check_state,
    changed=CHANGED,
    changes=changes,
    previews={PREVIEW_EXECUTION: Previewed("voucher.execute.v1", preview_execution)},
    wake=wake,
)


def service(_settings: Settings) -> Service:
    """The service of an installation; nothing of it depends on the settings."""
    return SERVICE


def run(settings: Settings) -> None:
    """Run one process of the service until it is told to stop."""
    run_service(SERVICE, settings)
