"""Dependencies that give operations the edge or its views."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from services.edge.edge import Edge
from services.edge.http.documenting import Documentation, Documented
from services.edge.views.views import Views


class EdgeComponent(Documented):
    """Gives an operation the edge, or a component of it."""

    def __init__(self, component: Callable[[Edge], Any]) -> None:
        self._component = component

    async def __call__(self, request: Request) -> Any:
        """The component of the application's edge."""
        return self._component(request.app.state.edge)

    def document(self, operation: Documentation) -> None:
        """Add the problems of database reads."""
        operation.refuse("internal", "unavailable")


EdgeDependency = Annotated[Edge, Depends(EdgeComponent(lambda edge: edge))]
ViewsDependency = Annotated[Views, Depends(EdgeComponent(lambda edge: edge.views))]
