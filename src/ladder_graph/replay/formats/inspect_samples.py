"""One sample of an Inspect log as a run.

A sample is solved where each of its scores that says yes or no says yes: `C`, `true` and 1 against `I`, `false` and 0;
none says that of one that broke off. A score whose metadata has `critical`, a list of tool call ids, labels all calls
of its sample: those named are critical, and the others were looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ladder_graph.replay.conversations.contents import words_of
from ladder_graph.replay.formats.inspect_records import Recorded
from ladder_graph.replay.formats.inspect_transcripts import Transcript, own
from ladder_graph.replay.traces import CRITICAL, Run, TracedCall

_YES: dict[str, bool] = {"C": True, "I": False}


def run_of(sample: Recorded, header: Mapping[str, Any]) -> Run:
    """A sample as a run.

    Args:
        sample: The sample.
        header: What the log says of the evaluation, under `eval`.

    Raises:
        ValidationError: An event isn't what Inspect writes.
    """
    suite = str(header.get("task", ""))
    log = str(header.get("eval_id") or header.get("run_id") or suite)
    transcript = Transcript(sample)
    if any(str(one.get("event")) in {"model", "tool"} for one in sample.events):
        transcript.follow(sample.events)
    else:
        transcript.read(sample.messages)
    counted = zip(sample.messages, own(sample.messages), strict=True)
    said = [words_of(one.content) for one, counts in counted if counts]
    if not sample.messages and isinstance(sample.input, str):
        said = [sample.input]
    return Run(
        id=f"{log}/{sample.id}/{sample.epoch}",
        suite=suite,
        task=str(sample.id),
        calls=tuple(_labelled(transcript.calls, sample)),
        said=tuple(transcript.whole(text) or "" for text in said),
        solved=_solved(sample),
        apart=True,
    )


def _solved(sample: Recorded) -> bool | None:
    said = [_yes(score.value) for score in (sample.scores or {}).values()]
    known = [one for one in said if one is not None]
    return all(known) if known and sample.error is None else None


def _yes(value: object) -> bool | None:
    if isinstance(value, str):
        return _YES.get(value)
    return bool(value) if isinstance(value, int | float) and value in {0, 1} else None


def _labelled(calls: Iterable[TracedCall], sample: Recorded) -> Iterator[TracedCall]:
    marked = [(score.metadata or {}).get("critical") for score in (sample.scores or {}).values()]
    lists = [one for one in marked if isinstance(one, list)]
    critical = {name for one in lists for name in one if isinstance(name, str)}
    for call in calls:
        labels = frozenset({CRITICAL}) if call.id in critical else frozenset()
        yield replace(call, labels=labels) if lists else call
