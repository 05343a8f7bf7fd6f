"""Names in addresses: an agent or a tool may be called anything, and is one segment of a path all the same."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_WRITTEN = re.compile(r"(?:[A-Za-z0-9._-]|~[0-9A-F]{2})*~?")


def segment(name: str) -> str:
    """A name as one segment of a path. What isn't a plain letter is written as `~` and its bytes, as `~2F` for a slash.

    Percent signs would be undone on the way, by proxies and servers, each as it likes.

    Example:
        >>> segment("ops/research"), segment("send_email"), segment(".."), segment("")
        ('ops~2Fresearch', 'send_email', '~2E~2E', '~')
    """
    found = "".join(_spelled(name, at) for at in range(len(name)))
    return found or "~"


def _spelled(name: str, at: int) -> str:
    letter = name[at]
    # A name of dots alone would lead to another folder.
    if _PLAIN.match(letter) or (letter == "." and name.strip(".")):
        return letter
    return "".join(f"~{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))


def name_of(written: str) -> str | None:
    """The name that a segment stands for; None where it is none of ours.

    Example:
        >>> name_of("ops~2Fresearch"), name_of("~"), name_of("~zz")
        ('ops/research', '', None)
    """
    if written == "~":
        return ""
    if not _WRITTEN.fullmatch(written) or written.endswith("~"):
        return None
    parts = re.split(r"((?:~[0-9A-F]{2})+)", written)
    try:
        return "".join(
            bytes.fromhex(part.replace("~", "")).decode("utf-8", "surrogatepass") if part.startswith("~") else part
            for part in parts
        )
    except UnicodeDecodeError:
        return None
