"""The gift card service, wired: registries and pure functions handed to the runtime. Nothing connects at import."""

from schemas.giftcard_saga import HOLD_CARD
from schemas.giftcards import CHANGED, COMMANDS, REJECTIONS
from schemas.previews import PREVIEW_HOLD
from services.giftcard.changes import changes
from services.giftcard.decider import DECIDER
from services.giftcard.identities import check_event, check_state
from services.giftcard.previewing import preview_hold
from services.giftcard.waking import wake
from shared.runtime.app import run as run_service
from shared.runtime.service import Previewed, Service
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
    previews={PREVIEW_HOLD: Previewed(HOLD_CARD, preview_hold)},
    wake=wake,
)


def service(_settings: Settings) -> Service:
    """The service of an installation; nothing of it depends on the settings."""
    return SERVICE


def run(settings: Settings) -> None:
    """Run one process of the service until it is told to stop."""
    run_service(SERVICE, settings)
