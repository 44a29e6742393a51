"""Names of annotators: how one is stored, and which are spellings of one person.

In:  what somebody typed. Out: the name, and the key that all its spellings share. Knows no store.
"""

import unicodedata

from bam_engine.errors import AnnotationError


def check_annotator_name(name: str) -> str:
    """Return ``name`` composed (NFC), without blanks at the ends, and with single ones inside.

    Raises
    ------
    AnnotationError
        Nothing is left of it.
    """
    checked = unicodedata.normalize("NFC", " ".join(name.split()))
    if not checked:
        raise AnnotationError("The annotator's name is empty. Enter a name.")
    return checked


def spelling_key(name: str) -> str:
    """Return what the spellings of a name share: they may differ in case, blanks and Unicode composition.

    The key is Unicode's compatibility caseless form (Unicode Standard, section 3.13, D146).

    Examples
    --------
    >>> spelling_key(" anna ") == spelling_key("Anna"), spelling_key("José") == spelling_key("Jose\\u0301")
    (True, True)
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", name).casefold()).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
