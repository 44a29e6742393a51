"""Numbers in addresses.

``{row:number}`` in a route matches up to 18 digits, so that every number fits into 64 bits; an address with a longer
one is an address of nothing.
"""

from starlette.convertors import IntegerConvertor, register_url_convertor


class NumberConvertor(IntegerConvertor):
    """Whole numbers of at most 64 bits."""

    regex = "[0-9]{1,18}"


def register() -> None:
    """Make ``number`` known to routes; call it before a route is made."""
    register_url_convertor("number", NumberConvertor())
