"""Names of annotators: how one is stored, and which are spellings of one person.

In:  what somebody typed. Out: the name, and the key that all its spellings share. Knows no store.
"""

import re
import unicodedata

from bam_engine.errors import AnnotationError

MAX_LENGTH = 200
"""Characters of a name."""

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # and halves of characters, which no database stores
_JOINERS = "\u200c\u200d\ufe00-\ufe0f"  # that letters of some scripts, and emoji, need
_IGNORABLE = (  # Unicode's property Default_Ignorable_Code_Point, without the joiners
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{_IGNORABLE}]")
_UNCOMPARED = re.compile(f"[{_IGNORABLE}{_JOINERS}]")


def check_annotator_name(name: str) -> str:
    """Return ``name`` composed (NFC), without characters that are not seen, with single blanks and none at the ends.

    Raises
    ------
    AnnotationError
        Nothing is left of it, or it is too long.
    """
    checked = unicodedata.normalize("NFC", _seen(name))
    if not spelling_key(checked):
        raise AnnotationError("The annotator's name is empty. Enter a name.")
    if len(checked) > MAX_LENGTH:
        raise AnnotationError(f"The annotator's name has {len(checked):,} characters. Enter {MAX_LENGTH} at most.")
    return checked


def _seen(name: str) -> str:
    return " ".join(_CONTROLS.sub(" ", _UNSEEN.sub("", name)).split())


def spelling_key(name: str) -> str:
    """Return what the spellings of a name share: they may differ in case, blanks, composition and what is not seen.

    The key is Unicode's compatibility caseless form, without ignorable characters (Unicode Standard, section 3.13,
    D146 and D147).

    Examples
    --------
    >>> spelling_key(" anna ") == spelling_key("Anna"), spelling_key("José") == spelling_key("Jose\\u0301")
    (True, True)
    >>> spelling_key("Anna\\u200b") == spelling_key("Anna")
    True
    """
    compared = _UNCOMPARED.sub("", _seen(name))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", compared).casefold()).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
