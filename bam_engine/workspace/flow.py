"""Flows: functions that read the database as it is when they begin; and functions that keep to one encoder."""

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


def one_encoder(function: Callable[Concatenate[Workspace, P], R]) -> Callable[Concatenate[Workspace, P], R]:
    """Make a function of a workspace use the encoder with which it began, as a flow does; it reads no single snapshot.

    It is for work that takes minutes, during which somebody may choose another encoder.
    """

    @wraps(function)
    def steady(workspace: Workspace, /, *args: P.args, **options: P.kwargs) -> R:
        with workspace.using(workspace.choice.key):
            return function(workspace, *args, **options)

    return steady
