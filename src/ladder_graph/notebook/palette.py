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
