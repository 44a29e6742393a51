"""Queries of pages as JSON: the parameters of an address, each a list of texts."""

import json

from bam_engine.errors import BamError

MAX_LENGTH = 8000
"""The most characters of such a text."""


def parameters_from_json(text: str, *, page: str, example: str) -> dict[str, list[str]]:
    """Return the parameters that a text has; ``page`` and ``example`` say in a message what to do.

    Raises
    ------
    BamError
        The text is no query, or too long.
    """
    if len(text) > MAX_LENGTH:
        raise BamError(f"The query has {len(text):,} characters; the limit is {MAX_LENGTH:,}. Use fewer conditions.")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BamError(f"The query cannot be read: it is not JSON. Open the {page} again.") from error
    valid = isinstance(given, dict) and all(
        isinstance(values, list) and all(isinstance(value, str) for value in values) for values in given.values()
    )
    if not valid:
        raise BamError(f"The query cannot be read. Its form is {example}.")
    return dict(given)
