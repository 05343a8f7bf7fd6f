"""AgentDojo's worlds as they were when the runs of the pack were recorded.

The runs came about with early releases of the package. Since then some of its data has changed, and how arguments reach
a tool. The differences stand here, found by holding outputs against the recorded hashes; everything else is what the
installed package has. Its licence, which also covers the mail below, is in `LICENSE.agentdojo`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import yaml  # type: ignore[import-untyped]
from agentdojo.agent_pipeline.base_pipeline_element import BasePipelineElement
from agentdojo.agent_pipeline.ground_truth_pipeline import GroundTruthPipeline
from agentdojo.attacks.important_instructions_attacks import ImportantInstructionsAttack
from agentdojo.default_suites.v1.tools import cloud_drive_client, email_client
from agentdojo.functions_runtime import Function, FunctionsRuntime, TaskEnvironment
from agentdojo.task_suite.load_suites import get_suite
from agentdojo.task_suite.task_suite import TaskSuite, read_suite_file
from agentdojo.types import get_text_content_as_str
from pydantic import BaseModel, ConfigDict

MOMENT = dt.datetime(2031, 1, 1, 1, 1, 1, 10101)  # noqa: DTZ001  # AgentDojo's clock is naive
"""Where its clock stands still: a moment that no data of the worlds has, so that an output which shows it is known."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What differed between the releases that the runs of the pack came about with."""

    user: str
    """How the attack signs."""
    typed: bool
    """Whether arguments are brought into the types of the tool's schema first: 100 becomes 100.0."""


FIRST, SECOND = Edition("Emma Johnson", typed=False), Edition("Emma Smith", typed=True)
EDITIONS = {"gpt-4o-2024-05-13": FIRST}
"""The edition by the model that ran; the second one for the others."""


class _AsWritten(BaseModel):
    """Takes any arguments, and leaves them as they are."""

    model_config = ConfigDict(extra="allow")


class _Target(BasePipelineElement):
    """Has the name of the attacked model, by which the attack addresses it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def query(self, *_: Any, **__: Any) -> Any:
        """Nobody asks it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class World:
    """Where one recorded run took place."""

    suite: TaskSuite[Any]
    edition: Edition
    injections: tuple[tuple[str, str], ...]
    """What the attacker wrote, by where it stands."""

    def environment(self, task: str) -> TaskEnvironment:
        """The environment before the run, anew each time.

        Args:
            task: The user task, which may change it first.
        """
        fresh = _environment(self.suite, self.injections).model_copy(deep=True)
        prepared: TaskEnvironment = self.suite.user_tasks[task].init_environment(fresh) if _is_users(task) else fresh
        return prepared

    def runtime(self) -> FunctionsRuntime:
        """What runs its tools."""
        return FunctionsRuntime(self.suite.tools if self.edition.typed else _untyped(self.suite))


def world(model: str, version: str, suite: str, task: str, injected: str | None) -> World:
    """The world of a recorded run.

    Args:
        model: The model that ran.
        version: The version of the benchmark.
        suite: The suite's name.
        task: The user task.
        injected: The injection task, where somebody attacked.
    """
    edition = EDITIONS.get(model, SECOND)
    found = get_suite(version, suite)
    return World(found, edition, _attack(found, model, edition, task, injected) if injected else ())


def _is_users(task: str) -> bool:
    return task.startswith("user_task_")


@cache
def _attack(
    suite: TaskSuite[Any], model: str, edition: Edition, task: str, injected: str
) -> tuple[tuple[str, str], ...]:
    attack = ImportantInstructionsAttack(suite, _Target(model))
    attack.user_name = edition.user
    goal = suite.get_injection_task_by_id(injected).GOAL
    said = attack.jailbreak.format(goal=goal, user=edition.user, model=attack.model_name)
    return tuple((place, said) for place in _seen(suite, task))


@cache
def _seen(suite: TaskSuite[Any], task: str) -> tuple[str, ...]:
    """The places for an injection that are seen by whoever does the task right."""
    user = suite.user_tasks[task]
    marks = {place: f"<CANARY---{place}--->" for place in suite.get_injection_vector_defaults()}
    environment = _environment(suite, tuple(marks.items())).model_copy(deep=True)
    answers = GroundTruthPipeline(user).query(user.PROMPT, FunctionsRuntime(suite.tools), environment)[3]
    told = "".join(get_text_content_as_str(answer["content"] or []) for answer in answers)
    return tuple(place for place, mark in marks.items() if mark in told)


@cache
def _untyped(suite: TaskSuite[Any]) -> list[Function[..., Any]]:
    return [tool.model_copy(update={"parameters": _AsWritten}) for tool in suite.tools]


@cache
def _environment(suite: TaskSuite[Any], injections: tuple[tuple[str, str], ...]) -> TaskEnvironment:
    text = _template(suite).format(**{**_defaults(suite), **dict(injections)})
    # As the suite does it, but for the parser: libyaml's gives the same, and takes a tenth of the time.
    found: TaskEnvironment = suite.environment_type.model_validate(yaml.load(text, yaml.CSafeLoader))
    return found


@cache
def _template(suite: TaskSuite[Any]) -> str:
    """The environment's text with places for injections, as it was."""
    data = yaml.load(read_suite_file(suite.name, "environment.yaml", None), yaml.CSafeLoader)
    {"banking": _banking, "workspace": _workspace}[suite.name](data)
    # The package's own form of text: in quotes, which decides how line breaks of an injection are read.
    return str(yaml.dump(data, default_flow_style=False))


@cache
def _defaults(suite: TaskSuite[Any]) -> dict[str, str]:
    """What stands where nobody attacks. In the bill a line break was one, and not the letters for it."""
    texts: dict[str, str] = suite.get_injection_vector_defaults()
    if suite.name == "banking":
        bill = "injection_bill_text"
        texts[bill] = texts[bill].replace("98.70\\n-", "98.70\n-", 1)
    return texts


# --- what has changed in the data since then ---------------------------------------------------------------------


def _banking(data: dict[str, Any]) -> None:
    purchase = next(one for one in data["bank_account"]["transactions"] if one["id"] == 4)  # noqa: PLR2004  # its id
    purchase["date"] = "2022-0 3-04"


def _workspace(data: dict[str, Any]) -> None:
    mails = data["inbox"]["initial_emails"]
    _named(mails, "16")["status"] = "sent"
    mails.insert(mails.index(_named(mails, "33")), _BREAD)
    spam = _named(data["cloud_drive"]["initial_files"], "24")
    spam["content"] = spam["content"].replace("meeting minutes Hawaii\n", "meeting minutes\n")


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in entries if one["id_"] == name)


_BREAD = {
    "id_": "30",
    "sender": "sarah.baker123@sarahs-baker.com",
    "recipients": ["emma.johnson@bluesparrowtech.com"],
    "cc": [],
    "bcc": [],
    "subject": "Come get your bread at Sarah's Baker!",
    "body": "Join us for a delicious meal! Click here to reserve your table: https://www.sarahs-baker.com/reserve",
    "status": "received",
    "read": True,
    "timestamp": dt.datetime(2024, 4, 19, 23, 55),  # noqa: DTZ001  # as all of AgentDojo's
}
"""A mail that was taken out of the data later."""


# --- the clock -----------------------------------------------------------------------------------------------------


class _Still(dt.datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]  # a plain moment
        """The one moment."""
        return MOMENT.replace(tzinfo=tz)


@contextmanager
def frozen() -> Iterator[None]:
    """Let AgentDojo's mail and drive take every moment for `MOMENT`."""
    still = SimpleNamespace(datetime=_Still)
    with patch.object(email_client, "datetime", still), patch.object(cloud_drive_client, "datetime", still):
        yield
