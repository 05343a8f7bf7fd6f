"""Where the policy and the ledger are, and opening them: a command that only looks never makes a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ladder_graph.errors import LadderError, LedgerError

if TYPE_CHECKING:
    import typer

    from ladder_graph.ladder import Ladder
    from ladder_graph.policy import Policy

MEMORY = ":memory:"


@dataclass(frozen=True, slots=True)
class Place:
    """What the global options name."""

    policy: Path
    ledger: str | None = None
    """None where the policy says it."""

    @property
    def lock(self) -> Path:
        """The lock file beside the policy."""
        return self.policy.with_name("ladder.lock")

    def read_policy(self) -> Policy:
        """The policy.

        Raises:
            LadderError: There is none.
            PolicyError: It has problems; all are listed.
        """
        from ladder_graph.policy import load_policy

        if not self.policy.exists():
            raise LadderError(
                f"there is no policy at {self.policy}; `ladder init` writes one, `ladder --policy PATH` names another"
            )
        return load_policy(self.policy)

    def ledger_file(self, policy: Policy) -> str:
        """The ledger's file, as short as it can be said from here."""
        if self.ledger is not None:
            return self.ledger
        if policy.ledger == MEMORY or "://" in policy.ledger:
            return policy.ledger
        here = Path.cwd()
        file = Path(policy.ledger)
        return str(file.relative_to(here) if file.is_relative_to(here) else file)

    def shared_ledger(self, policy: Policy) -> str:
        """The ledger, for what other processes must see; it need not be there yet.

        Raises:
            LedgerError: It is in the memory of one process.
        """
        file = self.ledger_file(policy)
        if file == MEMORY:
            raise LedgerError(f"{absent(file)}")
        return file

    @contextmanager
    def acting(self) -> Iterator[Ladder]:
        """The ladder, for something that a person does.

        Raises:
            LedgerError: There is no ledger yet.
        """
        policy = self.read_policy()
        file = self.ledger_file(policy)
        if (missing := absent(file)) is not None:
            raise LedgerError(f"{missing}, so there is nothing to act on")
        with self.opened(policy, file) as ladder:
            yield ladder

    @contextmanager
    def looking(self) -> Iterator[Ladder]:
        """The ladder, for a look. Where there is no ledger yet this is said, and an empty one in memory stands in."""
        policy = self.read_policy()
        file = self.ledger_file(policy)
        if (missing := absent(file)) is not None:
            from ladder_graph.cli.screen import Screen

            Screen(stderr=True).note(f"{missing}: nothing has run under this policy.")
            file = MEMORY
        with self.opened(policy, file) as ladder:
            yield ladder

    @contextmanager
    def following(self) -> Iterator[Ladder]:
        """The ladder, for a process that goes on for long: it takes up what the policy file says later.

        Where there is no ledger yet it is made, and that is said: another path may have been meant.

        Raises:
            LedgerError: It is in the memory of one process.
        """
        from ladder_graph.ladder import Ladder

        file = self.shared_ledger(self.read_policy())
        if (missing := absent(file)) is not None:
            from ladder_graph.cli.screen import Screen

            Screen(stderr=True).note(f"{missing}; it is made now.")
        with closing(Ladder(policy=self.policy, ledger=self.ledger, lock=self.lock)) as ladder:
            yield ladder

    @contextmanager
    def opened(self, policy: Policy, file: str) -> Iterator[Ladder]:
        """The ladder on this ledger, closed afterwards."""
        from ladder_graph.ladder import Ladder

        with closing(Ladder(policy=policy, ledger=file, lock=self.lock)) as ladder:
            yield ladder


def find_project() -> None:
    """Let the project's own modules be found from the folder one stands in: predicates and health checks in Python."""
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))


def absent(file: str) -> str | None:
    """That there is no ledger, in words; None where there is one."""
    if file == MEMORY:
        return "the policy keeps its ledger in the agent's memory, where no other process can see it"
    if "://" in file:
        return _absent_there(file)
    return None if Path(file).exists() else f"there is no ledger at {file} yet"


def _absent_there(url: str) -> str | None:
    from ladder_graph.ledger.moves.upgrades import plan

    try:
        found = plan(url)
    except LadderError:
        return None  # Whoever opens it is told why that can't be.
    return None if found.version else f"there is no ledger at {found.name} yet"


def place_of(ctx: typer.Context) -> Place:
    """What the global options of this command line named."""
    place = ctx.obj
    assert isinstance(place, Place)  # noqa: S101  # the callback of the program has put it there
    return place
