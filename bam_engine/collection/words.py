"""Words as they are searched: without case and accents, English ones by their stems too.

In:  what people type, and lines of names. Out: the terms to look for, and the stems of a line. Stems are Porter's
(1980), as SQLite's full-text search computes them: "dogs" and "dog" have one.
"""

import logging
import re
import sqlite3
import unicodedata
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

_log = logging.getLogger(__name__)

SEPARATOR = "\x1f"
"""Stands between the title, the captions, the project and the file of an image."""

_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u0640\u064b-\u0655\u0670]")  # accents, Hebrew and Arabic vowel signs
_TERM = re.compile(r'"([^"]+)"|(\S+)')
_IN_WORD = "[0-9a-z\x80-\U0010ffff]"
_STEMMED = re.compile(f"(?<!{_IN_WORD})[a-z]{{3,}}(?!{_IN_WORD})")
_PARTS = re.compile(f"{_STEMMED.pattern}|[\n{SEPARATOR}]")
_EDGES = ".,;:!?*()[]{}<>|&^~'\"“”„‘’«»…。、，！？「」؟،"
_STOP_WORD_LIST = "a an and are as at by for from in is it of on that the this to with"
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())


@dataclass(frozen=True)
class Term:
    """What a name must contain: a folded word or phrase, and the stem of a word, empty where it has none."""

    text: str
    stem: str = ""


def fold(text: str) -> str:
    """Return ``text`` in the form used for matching: without case, accents and line breaks.

    Examples
    --------
    >>> fold("Éclair  STRASSE")
    'eclair  strasse'
    """
    plain = text.replace("\n", " ").replace(SEPARATOR, " ")
    if plain.isascii():
        return plain.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold()))


def search_terms(text: str) -> list[Term]:
    """Return the distinct words of ``text``, and its phrases in double quotes, in order of first occurrence.

    Punctuation around a word is dropped; there are no operators. Stop words count only where there are no others.

    Examples
    --------
    >>> [term.text for term in search_terms('The dogs, "on the beach" (AND cats*)')]
    ['dogs', 'on the beach', 'cats']
    >>> search_terms("dogs")
    [Term(text='dogs', stem='dog')]
    """
    found: dict[str, bool] = {}  # each term, and whether it is a phrase
    for phrase, word in _TERM.findall(text):
        term = fold(phrase or word.strip(_EDGES)).strip()
        if any(unicodedata.category(letter)[0] in "LMNS" for letter in term):
            found[term] = found.get(term, False) or bool(phrase)
    terms = [term for term, is_phrase in found.items() if is_phrase or term not in _STOP_WORDS] or list(found)
    stemmed = [term for term in terms if not found[term] and _STEMMED.fullmatch(term)]
    stems = dict(zip(stemmed, stems_of(stemmed), strict=True))
    return [Term(term, stems.get(term, "")) for term in terms]


def stems_of(words: Iterable[str]) -> list[str]:
    """Return the stem of each of ``words``, which have lower-case ASCII letters only."""
    words = list(words)
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute("create virtual table words using fts5(word, tokenize = 'porter ascii')")
        except sqlite3.OperationalError as error:
            _log.warning("Words are searched without their stems, since SQLite has no full-text search: %s.", error)
            return words
        database.executemany("insert into words (rowid, word) values (?, ?)", enumerate(words))
        database.execute("create virtual table stems using fts5vocab(words, instance)")
        return [stem for (stem,) in database.execute("select term from stems order by doc")]


class Stemmer:
    """Writes the stems of lines; a word that occurs again costs a look-up."""

    def __init__(self) -> None:
        self._written = {"\n": "\n", SEPARATOR: SEPARATOR}

    def lines(self, lines: Iterable[str]) -> list[str]:
        """Return for each folded line the stems of the words that are not their own stem, in the same fields."""
        parts = _PARTS.findall("\n".join(lines))
        new = [word for word in set(parts) if word not in self._written]
        for word, stem in zip(new, stems_of(new), strict=True):
            self._written[word] = "" if stem == word else stem + " "
        return "".join(map(self._written.__getitem__, parts)).split("\n")
