"""Colours that can be told apart on white and on black, since nobody knows on which ground a picture will stand.

Whatever carries a text has one of the host's own colours where there are such; these are for marks, and for the
pictures, which have no ground of their own.
"""

from __future__ import annotations

INK = "#777777"
"""Text and axes of a picture. No colour reaches 4.5 : 1 on white and on #111 at once; the best there is has 4.35."""
BLUE = "#3b82c4"
GREEN = "#3a8f4d"
ORANGE = "#c06a1f"
RED = "#d1495b"
PURPLE = "#8a6bbf"

MARKS = (BLUE, ORANGE, GREEN, PURPLE, RED)
"""For one thing after another, in this order; each is also told by its form or its label."""

GROUNDS = ("#ffffff", "#111111")
"""The two grounds: paper, and JupyterLab in the dark."""

LEAST = {"ink": 4.2, "mark": 3.0}
"""What text and marks reach on both, as the WCAG measures contrast (2.2, 1.4.3 and 1.4.11; 3 : 1 is for marks)."""


def luminance(colour: str) -> float:
    """How bright a colour is, from 0 to 1 (WCAG 2.2, relative luminance).

    Args:
        colour: As `#rrggbb`.

    Example:
        >>> luminance("#000000"), luminance("#ffffff")
        (0.0, 1.0)
    """
    red, green, blue = (_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  # the norm's own


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2).

    Args:
        one: As `#rrggbb`.
        other: Likewise.

    Example:
        >>> round(contrast("#000000", "#ffffff"), 1)
        21.0
    """
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)
