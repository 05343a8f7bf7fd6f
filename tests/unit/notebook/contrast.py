"""How well a colour can be seen on a ground, as the WCAG measures it."""

from __future__ import annotations

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
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # the norm's own


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
