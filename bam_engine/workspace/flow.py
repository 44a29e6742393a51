"""Flows: functions that read the database as it is when they begin."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from bam_engine.workspace.core import Workspace

P = ParamSpec("P")
R = TypeVar("R")


def one_flow(function: Callable[Concatenate[Workspace, P], R]) -> Callable[Concatenate[Workspace, P], R]:
    """Make a function of a workspace a flow: it reads one snapshot, and sees what it writes itself.

    Called inside a flow, it is part of that.

    Examples
    --------
    >>> @one_flow
    ... def names(workspace: Workspace) -> list[str]:
    ...     return [attribute.name for attribute in workspace.attributes.all()]
    """

    @wraps(function)
    def flow(workspace: Workspace, /, *args: P.args, **options: P.kwargs) -> R:
        with workspace.reading():
            return function(workspace, *args, **options)

    return flow
