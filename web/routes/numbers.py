"""Numbers in addresses.

``{row:number}`` in a route matches up to 18 digits, so that every number fits into 64 bits; an address with a longer
one is an address of nothing.
"""

import math

from starlette.convertors import IntegerConvertor, register_url_convertor


class NumberConvertor(IntegerConvertor):
    """Whole numbers of at most 64 bits."""

    regex = "[0-9]{1,18}"


def register() -> None:
    """Make ``number`` known to routes; call it before a route is made."""
    register_url_convertor("number", NumberConvertor())


def number(text: str | None) -> float:
    """Parse a number of a query; nan for anything else, which is answered with a message."""
    try:
        return float(text) if text else math.nan
    except ValueError:
        return math.nan
