"""Somebody at a browser: what they press and see. What the page does wrong meanwhile is seen too."""

from __future__ import annotations

import contextlib
import re

from playwright.sync_api import Page, TimeoutError, expect  # noqa: A004  # playwright's own

EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d|503)")
"""What the browser's own log says of a page that is meant to be a refusal."""


class Person:
    """A window of somebody's.

    Args:
        page: The browser's page.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        """What a page did that none may do: scripts that fail, and what the page's own policy forbids."""
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message) -> None:
        if message.type in {"error", "warning"} and not EXPECTED.search(message.text):
            self.wrong.append(message.text)

    def go(self, path: str) -> int:
        """Look at a page; its status."""
        answer = self.page.goto(path)
        return answer.status if answer else 0

    def press(self, name: str, *, within: str = "main") -> None:
        """Press a button by its name."""
        self.page.locator(within).get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str, *, within: str = "main") -> None:
        """Follow a link by its words."""
        self.page.locator(within).get_by_role("link", name=name).first.click()

    def fill(self, label: str, text: str) -> None:
        """Fill a field by its label."""
        self.page.locator("main").get_by_label(label).fill(text)

    def choose(self, label: str, *, within: str = "main") -> None:
        """Choose something by its label."""
        self.page.locator(within).get_by_label(label, exact=True).check()

    def sees(self, *words: str) -> None:
        """The page says all of this."""
        for one in words:
            expect(self.page.locator("body")).to_contain_text(one)

    def misses(self, *words: str) -> None:
        """The page says nothing of this."""
        for one in words:
            expect(self.page.locator("body")).not_to_contain_text(one)

    def title(self, text: str) -> None:
        """The page is about this."""
        expect(self.page.locator("h1")).to_have_text(text)

    @property
    def path(self) -> str:
        """Where they are, from the server's root."""
        return "/" + self.page.url.partition("://")[2].partition("/")[2]

    def enter(self) -> None:
        """Press Enter on what has the focus.

        The browser may never say that the key was taken, where the page goes away by it.
        """
        with contextlib.suppress(TimeoutError):
            self.page.locator(":focus").press("Enter", timeout=5_000)

    def focused(self) -> str:
        """What has the focus: its role or tag, and its name."""
        return self.page.evaluate(
            "() => { const at = document.activeElement; return at === document.body ? '' :"
            " `${at.tagName.toLowerCase()} ${(at.innerText || at.name || at.id || '').trim()}`; }"
        )

    def tab_to(self, words: str, most: int = 120) -> None:
        """Go by the Tab key to what is called so."""
        found = []
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if words in (at := self.focused()):
                return
            found.append(at)
        raise AssertionError(f"no Tab leads to {words!r}, only to {found}")
