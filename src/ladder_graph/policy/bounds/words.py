"""Values by their type: reading one whole, and finding those that a text holds. Never a part of a longer one.

`ana@shop.example` isn't in `ana@shop.example.evil.com`, and 50 isn't in 1,500 or in 2026-11-50. Where a spelling can
be read in two ways, such as 1,50 or 03/04/2026, it is taken for none.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

Type = Literal["email", "url", "iban", "phone", "number", "date", "word", "text"]
"""What kind of value an argument holds."""

LONGEST = 1_000_000
"""Characters of one text that are looked through; what comes after isn't found."""

_BREAKS = r"\s<>\"`()\[\]{}|\u201c\u201d\u201e\u00ab\u00bb"
# An apostrophe inside a word is part of it.
_SPACES = re.compile(rf"(?:[{_BREAKS}]|(?<!\w)['\u2018\u2019]|['\u2018\u2019](?!\w))+")
_APART = re.compile(rf"(?:[{_BREAKS},;'])+")
_AROUND = ".,;:!?"
"""What may stand around a value without being of it."""
_EMAIL = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_BARE_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(?:/.*)?", re.IGNORECASE | re.ASCII)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
)
_PHONE = re.compile(r"(?<![\w+.])\+[0-9](?:[ ()/.-]{0,2}[0-9]){6,14}(?![\w-])", re.ASCII)
_NUMBER = re.compile(
    r"(?<![\w.,:/'\u2019+-])(?<![0-9] )(-?)[$\u20ac\u00a3\u00a5]? ?"
    r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:['\u2019][0-9]{3})+|[0-9]+)(\.[0-9]+)?"
    r"(?![\w/:'\u2019-]|[.,][0-9]| [0-9])"
)
_ISO_DATE = re.compile(r"(?<![\w.:/-])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![\w/-]|[.:][0-9])", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"([0-9]{1,2})(?:st|nd|rd|th)?"
_ANY_CASE = re.IGNORECASE | re.ASCII
_NAMED_DATES = (
    re.compile(rf"(?<![\w.]){_MONTH} {_DAY},? ([0-9]{{4}})(?!\w)", _ANY_CASE),
    re.compile(rf"(?<![\w.]){_DAY}\.? (?:of )?{_MONTH},? ([0-9]{{4}})(?!\w)", _ANY_CASE),
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
        return _text(value)
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
        # Without its last piece, which may be only the beginning of one.
        text = text[:LONGEST].rpartition(" ")[0]
    return _FINDERS[kind](text)


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
            return not _SPACES.search(value) and value == value.strip(_AROUND)


def _pieces(text: str, between: re.Pattern[str]) -> Iterator[str]:
    return (piece for one in between.split(text) if (piece := one.strip(_AROUND)))


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
        port = f":{url.port}" if url.port else ""
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
    return (unicodedata.normalize("NFC", piece) for piece in _pieces(text, _SPACES))


def _texts(text: str) -> Iterator[str]:
    """The whole text, each of its lines, and what stands in quotation marks."""
    quoted = (part for found in _QUOTED.finditer(text) for part in found.groups() if part)
    return (one for part in (text, *text.splitlines(), *quoted) if (one := _text(part)))


def _text(value: str) -> str:
    return unicodedata.normalize("NFC", " ".join(value.split()))


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
