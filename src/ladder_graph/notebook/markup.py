"""Markup that is put together piece by piece: whatever isn't markup already is text, and nothing in a text acts."""

from __future__ import annotations

from html import escape

from ladder_graph.notebook.style import STYLE
from ladder_graph.telling import cut
from ladder_graph.wording import inert

LONGEST = 400
"""Characters of a text that are shown; what is left out is said."""


class Html(str):
    """Markup that may go into a page as it is."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        """It as a notebook shows it."""
        return str(self)


Child = object
"""Markup, which goes in as it is, or anything else, which goes in as text."""


def text(value: object, most: int = LONGEST) -> Html:
    r"""Anything as text: escaped, with nothing in it that is hidden or turns the reading direction.

    Args:
        value: Whatever somebody else wrote.
        most: Characters that are shown.

    Example:
        >>> print(text("<b>\u202e"))
        &lt;b&gt;\u{202E}
    """
    return Html(escape(inert(cut(str(value), most), keep="\n")))


def element(tag: str, *children: Child, **attributes: object) -> Html:
    """An element with what is inside it.

    Args:
        tag: Its name.
        children: What stands inside, in order; None is left out.
        attributes: By name; a final underscore is taken off, another one is a hyphen, and None leaves it out.

    Example:
        >>> element("td", "5 < 6", class_="n", data_of=None)
        '<td class="n">5 &lt; 6</td>'
    """
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(one if isinstance(one, Html) else text(one) for one in children if one is not None)
    return Html(f"<{tag}{told}>{inside}</{tag}>")


def joined(*children: Child) -> Html:
    """Pieces one after the other."""
    return Html("".join(one if isinstance(one, Html) else text(one) for one in children if one is not None))


def table(caption: Child, heads: tuple[str, ...], rows: list[tuple[Child, ...]], *, empty: str = "nothing") -> Html:
    """A table whose first cell of each row names the row.

    Args:
        caption: What it shows.
        heads: The names of its columns.
        rows: Its cells, row by row.
        empty: What is said where there is no row.
    """
    if not rows:
        return element("p", caption, ": ", empty, class_="soft")
    head = element("tr", *(element("th", name, scope="col") for name in heads))
    body = (
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    )
    return element("table", element("caption", caption), element("thead", head), element("tbody", *body))


def pairs(found: list[tuple[Child, Child]]) -> Html:
    """Names and what they stand for; those without a value are left out."""
    listed = [joined(element("dt", name), element("dd", value)) for name, value in found if value not in {None, ""}]
    return element("dl", *listed) if listed else Html()


def page(*children: Child) -> Html:
    """A piece that can stand anywhere: it brings its style, and its style touches nothing else."""
    return element("div", Html(f"<style>{STYLE}</style>"), *children, class_="ladder-graph")
