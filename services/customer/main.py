"""The customer service, wired: registries and pure functions handed to the runtime. Nothing connects at import."""

from schemas.customers import COMMANDS, REJECTIONS, ClaimKind
from services.customer.claims import Keys
from services.customer.decider import decider
from services.customer.forgetting import LETTERS_KEPT
from services.customer.identities import check_event, check_state
from shared.runtime.app import run as run_service
from shared.runtime.service import Service
from shared.settings import Settings


def service(settings: Settings) -> Service:
    """The service of an installation: claims are keyed by its secret."""
    unique = frozenset([ClaimKind(kind) for kind in settings.customer_unique])
    keys = Keys(settings.claims_secret.get_secret_value().encode(), unique, settings.phone_region)
    return Service(
        name="customer",
        commands=COMMANDS,
        rejections=REJECTIONS,
        decider=decider(keys),
        check_event=check_event,
        check_state=check_state,
        letters_kept=LETTERS_KEPT,
    )


def run(settings: Settings) -> None:
    """Run one process of the service until it is told to stop."""
    run_service(service(settings), settings)
