"""Values by their type: reading one whole, and finding those that a text holds. Never a part of a longer one.

`ana@shop.example` isn't in `ana@shop.example.evil.com`, and 50 isn't in 1,500 or in 2026-11-50. Where a spelling can
be read in two ways, such as 1,50 or 03/04/2026, it is taken for none.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

Type = Literal["email", "url", "iban", "phone", "number", "date", "word", "text"]
"""What kind of value an argument holds."""

LONGEST = 1_000_000
"""Characters of one text that are looked through; what comes after isn't found."""

_BREAKS = r"\s<>\"`()\[\]{}|\u201c\u201d\u201e\u00ab\u00bb"
# An apostrophe inside a word is part of it.
_APOSTROPHE = r"(?<!\w)['\u2018\u2019]|['\u2018\u2019](?!\w)"
_SPACES = re.compile(rf"(?:[{_BREAKS}]|{_APOSTROPHE})+")
_APART = re.compile(rf"(?:[{_BREAKS},;]|{_APOSTROPHE})+")
_BEHIND = ".,;:!?"
"""What may stand behind a value without being of it. In front of one it is: `./tmp` isn't `/tmp`."""
_OPENING, _CLOSING = "([{", ")]}"
_GOES_ON = re.compile(r"[\w/?#&=%+~-]")
"""What goes on behind a bracket where that is of the value, as in `/wiki/A_(b)` and `?p[0]=1`."""
_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_GAP = r"[ \u00a0\u2000-\u200a\u202f\u205f\u3000]"
"""One space, of any width."""
_MONEY = r"[$\u20ac\u00a3\u00a5]"
_DASHES = r"\-\u2010-\u2015\u2212"
_JOINTS = rf"\w:/'\u00b4\u00b7\u00d7\u02bc\u066b\u066c\u2019\u2044\u2215{_INVISIBLE}{_DASHES}"
"""What makes a number another one, or none, where it stands right beside it."""
_EMAIL = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_BARE_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(?:/.*)?", re.IGNORECASE | re.ASCII)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
)
_PHONE = re.compile(
    rf"(?<![\w+.{_INVISIBLE}])\+[0-9](?:[ ()/.-]{{0,2}}[0-9]){{6,14}}"
    rf"(?![\w{_INVISIBLE}{_DASHES}]|[ ()/.-]{{1,2}}[0-9]|{_GAP}[0-9])"
)
_NUMBER = re.compile(
    rf"(?<![{_JOINTS}.,+])(?<![0-9](?:{_GAP}|[`^*]))(?<![{_DASHES}]{_MONEY})(?<![{_DASHES}]{_MONEY}{_GAP})"
    rf"(-?)(?:{_MONEY}{_GAP}?)?"
    r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:['\u2019][0-9]{3})+|[0-9]+)(\.[0-9]+)?"
    rf"(?![{_JOINTS}]|[.,`^*][0-9]|{_GAP}[0-9])"
)
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
"""1.500 is fifteen hundred to one reader, and one and a half to another."""
_ISO_DATE = re.compile(
    rf"(?<![\w.:/{_INVISIBLE}{_DASHES}])([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})"
    rf"(?![\w/{_INVISIBLE}{_DASHES}]|[.:][0-9])"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"([0-9]{1,2})(?:st|nd|rd|th)?"
_ANY_CASE = re.IGNORECASE | re.ASCII
_BESIDE = rf"(?u:[\w{_INVISIBLE}])"
_NAMED_DATES = (
    re.compile(rf"(?<!{_BESIDE}){_MONTH} {_DAY},? ([0-9]{{4}})(?!{_BESIDE}|\.[0-9])", _ANY_CASE),
    re.compile(rf"(?<!{_BESIDE}){_DAY}\.? (?:of )?{_MONTH},? ([0-9]{{4}})(?!{_BESIDE}|\.[0-9])", _ANY_CASE),
)
_QUOTED = re.compile(
    r"\"([^\"\n]+)\"|\u201c([^\u201c\u201d\n]+)\u201d|\u201e([^\u201e\u201c\u201d\n]+)[\u201c\u201d]|"
    r"\u00ab([^\u00ab\u00bb\n]+)\u00bb|(?<!\w)'([^'\n]+)'(?!\w)|`([^`\n]+)`"
)


def spelt(value: object, kind: Type) -> str | None:
    """One spelling for a whole value of a type; None where it is none of that type.

    Example:
        >>> spelt("Ana@Shop.example", "email"), spelt(1500, "number"), spelt("ana@shop.example.", "email")
        ('ana@shop.example', '1500', None)
    """
    if kind == "number":
        return None if isinstance(value, bool) or not isinstance(value, int | float | Decimal) else _decimal(str(value))
    if not isinstance(value, str) or not value or value != value.strip():
        return None
    if kind == "text":
        return _text(value) or None
    found = list(found_in(value, kind))
    # The value is nothing but this one: no other beside it, and nothing around it that was skipped.
    return found[0] if len(found) == 1 and _whole(value, kind) else None


def found_in(text: str, kind: Type) -> Iterator[str]:
    """The values of a type that a text holds, each in one spelling.

    Example:
        >>> list(found_in("Pay Ana (ana@shop.example) $1,500.00 by May 3, 2026, not 12,50.", "number"))
        ['1500']
        >>> list(found_in("by May 3, 2026", "date"))
        ['2026-05-03']
    """
    if len(text) > LONGEST:
        # Without its last line, of which only the beginning may be there. No value but a whole text spans two.
        text = text[:LONGEST].rpartition("\n")[0]
    return _FINDERS[kind](text)


@lru_cache(maxsize=256)
def _kept(text: str, kind: Type) -> frozenset[str]:
    return frozenset(found_in(text, kind))


_SHORT = 4096
"""Characters of a text whose values are kept in mind: the user's words are read for each argument of each call."""


def values_in(text: str, kind: Type) -> frozenset[str]:
    """The values of a type that a text holds, each once and in one spelling.

    Args:
        text: The text.
        kind: The type.
    """
    return _kept(text, kind) if len(text) <= _SHORT else frozenset(found_in(text, kind))


def _whole(value: str, kind: Type) -> bool:
    match kind:
        case "email":
            return _EMAIL.fullmatch(value) is not None
        case "iban":
            return _IBAN.fullmatch(value) is not None
        case "phone":
            return _PHONE.fullmatch(value) is not None
        case "date":
            return any(pattern.fullmatch(value) for pattern in (_ISO_DATE, *_NAMED_DATES))
        case _:
            return not _SPACES.search(value) and value == value.rstrip(_BEHIND)


def _pieces(text: str, between: re.Pattern[str]) -> Iterator[str]:
    """What stands between spaces, quotation marks and brackets, whole: a bracket cuts none, and none trails off."""
    at, before = 0, ""
    for gap in itertools.chain(between.finditer(text), [None]):
        start, end = gap.span() if gap else (len(text), len(text))
        one = text[at:start]
        piece = one.rstrip(_BEHIND)
        trails_off = one[len(piece) :].startswith("..")
        behind = text[start:end]
        cut = behind[:1] in _OPENING if behind else False
        if piece and not (trails_off or cut or _goes_on(before, one) or _goes_on(behind, text[end : end + 1])):
            yield piece
        at, before = end, behind


def _goes_on(gap: str, rest: str) -> bool:
    """Whether closing brackets are all that is between two pieces of one value."""
    return bool(gap) and not gap.strip(_CLOSING) and _GOES_ON.match(rest) is not None


def _emails(text: str) -> Iterator[str]:
    return (piece.lower() for piece in _pieces(text, _APART) if piece.isascii() and _EMAIL.fullmatch(piece))


def _urls(text: str) -> Iterator[str]:
    for piece in _pieces(text, _SPACES):
        if piece.isascii() and piece.isprintable() and "\\" not in piece and (url := _url(piece)):
            yield url


def _url(piece: str) -> str | None:
    """The address without its scheme where that is https or none; http and others keep theirs."""
    if "://" not in piece:
        piece = f"https://{piece}" if _BARE_HOST.fullmatch(piece) else ""
    try:
        url = urlsplit(piece)
        if not url.hostname or url.username is not None or url.password is not None:
            return None
        port = "" if url.port is None else f":{url.port}"
    except ValueError:
        return None
    scheme = "" if url.scheme == "https" else f"{url.scheme}://"
    rest = "".join(mark + part for mark, part in (("?", url.query), ("#", url.fragment)) if part)
    return f"{scheme}{url.hostname}{port}{url.path or '/'}{rest}"


def _ibans(text: str) -> Iterator[str]:
    for found in _IBAN.finditer(text):
        # The groups of four run into the next word where that is as long; the check digits tell where it ends.
        parts = found[0].split(" ")
        for end in range(len(parts), 0, -1):
            iban = "".join(parts[:end]).upper()
            if _checks(iban):
                yield iban
                break


_LEAST_IBAN, _MOST_IBAN = 15, 34


def _checks(iban: str) -> bool:
    """ISO 13616: the number with its first four characters behind, letters as 10 to 35, leaves 1 over 97."""
    if not _LEAST_IBAN <= len(iban) <= _MOST_IBAN:
        return False
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def _phones(text: str) -> Iterator[str]:
    return ("+" + re.sub(r"[^0-9]", "", found[0]) for found in _PHONE.finditer(text))


def _numbers(text: str) -> Iterator[str]:
    for pattern in (_ISO_DATE, *_NAMED_DATES):
        text = pattern.sub("date", text)
    for found in _NUMBER.finditer(text):
        sign, whole, rest = found.groups()
        if _THOUSANDS.fullmatch(whole + (rest or "")):
            continue
        if (spelling := _decimal(sign + re.sub(r"[,'\u2019]", "", whole) + (rest or ""))) is not None:
            yield spelling


_MOST_DIGITS = 40


def _decimal(text: str) -> str | None:
    """A number without an exponent or trailing zeros; None for one that nobody writes."""
    if len(text) > _MOST_DIGITS:
        return None
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return None
    plain = format(number, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in {"-0", ""} else plain


def _dates(text: str) -> Iterator[str]:
    named = [(year, month, day) for month, day, year in (found.groups() for found in _NAMED_DATES[0].finditer(text))]
    named += [(year, month, day) for day, month, year in (found.groups() for found in _NAMED_DATES[1].finditer(text))]
    numbered = [found.groups() for found in _ISO_DATE.finditer(text)]
    months = [(year, str(_MONTHS.index(month[:3].lower()) + 1), day) for year, month, day in named]
    for year, month, day in (*numbered, *months):
        try:
            yield dt.date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            continue


def _words(text: str) -> Iterator[str]:
    return (one for piece in _pieces(text, _SPACES) if (one := _composed(piece)))


def _texts(text: str) -> Iterator[str]:
    """The whole text, each of its lines, and what stands in quotation marks."""
    quoted = (part for found in _QUOTED.finditer(text) for part in found.groups() if part)
    return (one for part in (text, *text.splitlines(), *quoted) if (one := _text(part)))


def _text(value: str) -> str:
    return _composed(" ".join(value.split()))


_MOST_MARKS = 30
"""Marks on one character that UAX #15 (section 12, Stream-Safe Text Format) has room for."""


def _composed(text: str) -> str:
    """One spelling for letters with accents; empty where marks are heaped up: to sort n of them takes n**2 steps."""
    if text.isascii():
        return text
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char)[0] == "M" else 0
        if marks > _MOST_MARKS:
            return ""
    return unicodedata.normalize("NFC", text)


_FINDERS: dict[Type, Callable[[str], Iterator[str]]] = {
    "email": _emails,
    "url": _urls,
    "iban": _ibans,
    "phone": _phones,
    "number": _numbers,
    "date": _dates,
    "word": _words,
    "text": _texts,
}
