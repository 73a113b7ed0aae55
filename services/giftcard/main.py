"""The gift card service, wired: registries and pure functions handed to the runtime. Nothing connects at import."""

from schemas.giftcards import CHANGED, COMMANDS, REJECTIONS
from services.giftcard.changes import changes
from services.giftcard.decider import DECIDER
from services.giftcard.identities import check_event, check_state
from services.giftcard.waking import wake
from shared.runtime.app import run as run_service
from shared.runtime.service import Service
from shared.settings import Settings

SERVICE = Service(
    name="giftcard",
    commands=COMMANDS,
    rejections=REJECTIONS,
    decider=DECIDER,
    check_event=check_event,
    check_state=check_state,
    changed=CHANGED,
    changes=changes,
    wake=wake,
)


def service(_settings: Settings) -> Service:
    """The service of an installation; nothing of it depends on the settings."""
    return SERVICE


def run(settings: Settings) -> None:
    """Run one process of the service until it is told to stop."""
    run_service(SERVICE, settings)
