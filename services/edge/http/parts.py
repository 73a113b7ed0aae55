"""Parts of the edge that operations take: what reads the views."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from services.edge.edge import Edge
from services.edge.http.documenting import Documentation, Documented
from services.edge.views.views import Views


class Part(Documented):
    """A part of the edge that serves an application."""

    def __init__(self, of: Callable[[Edge], Any]) -> None:
        self._of = of

    async def __call__(self, request: Request) -> Any:
        """The part."""
        return self._of(request.app.state.edge)

    def document(self, operation: Documentation) -> None:
        """Whatever reads a database may find it away."""
        operation.refuse("internal", "unavailable")


EdgeOf = Annotated[Edge, Depends(Part(lambda edge: edge))]
ViewsOf = Annotated[Views, Depends(Part(lambda edge: edge.views))]
