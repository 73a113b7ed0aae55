"""The points service, wired: registries and pure functions handed to the runtime. Nothing connects at import."""

from schemas.points import CHANGED, COMMANDS, REJECTIONS
from schemas.previews import PREVIEW_TRANSACTION
from services.points.changes import changes
from services.points.concerns import concerns
from services.points.decider import DECIDER
from services.points.identities import check_event, check_state
from services.points.previewing import preview_transaction
from services.points.reactions import react_to_fulfilments, react_to_orders
from services.points.waking import wake
from shared.runtime.app import run as run_service
from shared.runtime.service import Previewed, Service
from shared.settings import Settings

SERVICE = Service(
    name="points",
    commands=COMMANDS,
    rejections=REJECTIONS,
    decider=DECIDER,
    check_event=check_event,
    check_state=check_state,
    changed=CHANGED,
    changes=changes,
    reactions={"oms.fulfilments": react_to_fulfilments, "webshop.orders": react_to_orders},
    previews={PREVIEW_TRANSACTION: Previewed("points.post_transaction.v1", preview_transaction)},
    wake=wake,
    concerns=concerns,
)


def service(_settings: Settings) -> Service:
    """The service of an installation; nothing of it depends on the settings."""
    return SERVICE


def run(settings: Settings) -> None:
    """Run one process of the service until it is told to stop."""
    run_service(SERVICE, settings)
