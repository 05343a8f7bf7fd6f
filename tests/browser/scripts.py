"""With a script and without: what a page can do, it does either way."""

from __future__ import annotations


class Way(dict):
    """Options of a window, with a name."""

    def __init__(self, name: str, **options) -> None:
        super().__init__(options)
        self.name = name

    def __str__(self) -> str:
        return self.name


WAYS = [Way("script"), Way("no-script", java_script_enabled=False)]
