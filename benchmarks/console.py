"""What a page of the console costs at size: with 100,000 waiting questions and 1,000,000 entries (`benchmarks.crowd`).

Every address that a GET shows is asked for, in process, beside the readings that pages are made of. The figures are CPU
time of the whole process; and memory before and after two hundred pages.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Any
from unittest.mock import patch

from starlette.testclient import TestClient

from benchmarks import crowd
from benchmarks.figures import Figure
from ladder_graph import Ladder
from ladder_graph.console import create_app, sign_in_link
from ladder_graph.console.guarding import Rates
from ladder_graph.console.pages import ENTRIES
from ladder_graph.ladder.folds import KEPT
from ladder_graph.states import State

PAGE, READING, COUNTS = 200.0, 100.0, 2.0
"""Milliseconds that a page may take, a reading that a page is made of, and the counts in its bar."""
DOWNLOADS = {"/history/export": 1500.0}
"""What is no page: ten thousand entries in one file, and the milliseconds that they may take."""
ROUNDS = 20
"""Times that each is asked for."""
MANY = 200
"""Pages between the two looks at the memory."""
GROWS = 20.0
"""Megabytes that the process may grow by meanwhile."""
HOST = "http://127.0.0.1:8642"


def measure() -> list[Figure]:
    """Every figure of the console on a large ledger."""
    logging.getLogger("ladder_graph").setLevel(logging.ERROR)
    with closing(crowd.opened()) as ladder:
        began = time.process_time()
        ladder.folds.most = KEPT
        ladder.refresh_assessments(older=0)
        spent = time.process_time() - began
        folded = Figure("console.assess_all.cpu", spent, "s_cpu", 60, note="each chain from its first entry, once")
        return [folded, *_readings(ladder), *_pages(ladder)]


def _readings(ladder: Ladder) -> Iterator[Figure]:
    """What pages are made of, without the pages."""
    for name, read in readings(ladder).items():
        goal = COUNTS if name == "counts" else READING
        yield _figure(f"reading.{name}", [_spent(read) for _ in range(ROUNDS)], goal)


def readings(ladder: Ladder) -> dict[str, Callable[[], object]]:
    """Each list and look, by its name."""
    middle = ladder.waiting(page=ladder.waiting(size=500).next)
    question, month = middle.items[-1].id, crowd.END - dt.timedelta(days=30)
    return {
        "counts": ladder.counts,
        "counts_mine": lambda: ladder.counts("ana"),
        "waiting": ladder.waiting,
        "waiting_label": lambda: ladder.waiting(label="customer-data"),
        "waiting_mine": lambda: ladder.waiting(mine="bo"),
        "waiting_nobody": lambda: ladder.waiting(mine="eve"),
        "place": lambda: ladder.place_of(question, mine="ana"),
        "entries": ladder.entries,
        "entries_tool": lambda: ladder.entries(tool="refund_payment"),
        "entries_rare_tool": lambda: ladder.entries(tool="write_offer"),
        "entries_person": lambda: ladder.entries(person="ana"),
        "entries_thread": lambda: ladder.entries(thread="t7"),
        "entries_kind": lambda: ladder.entries(kind="failed"),
        "entries_everyday_kind": lambda: ladder.entries(kind="started", until=month),
        "acted": ladder.acted,
        "acted_state": lambda: ladder.acted(state=State.DONE, tool="add_note"),
        "status": ladder.status,
        "assessments": ladder.assessments,
        "history": lambda: ladder.history("refund_payment"),
    }


def _pages(ladder: Ladder) -> Iterator[Figure]:
    """Every page, for somebody who is signed in and asks for more of them in a minute than the console lets anybody."""
    with patch.object(Rates, "allow", lambda *_: True):
        yield from _paged(ladder)


def _paged(ladder: Ladder) -> Iterator[Figure]:
    client = TestClient(create_app(ladder), base_url=HOST, follow_redirects=False)
    form = {"origin": HOST, "content-type": "application/x-www-form-urlencoded"}
    client.post(sign_in_link(ladder, "ana", by="ana"), headers=form)
    addresses = dict(_addresses(ladder))
    for path, address in addresses.items():
        status = client.get(address).status_code
        if status != HTTPStatus.OK:
            yield Figure(f"console.{path}", None, "ms_cpu", PAGE, note=f"{address} came with {status}")
            continue
        goal = DOWNLOADS.get(path, PAGE)
        yield _figure(f"console.{path}", [_spent(lambda at=address: client.get(at)) for _ in range(ROUNDS)], goal)
    yield _growth(client, list(addresses.values()))


def _addresses(ladder: Ladder) -> Iterator[tuple[str, str]]:
    """Each page's path with an address of it, and some that are filtered."""
    question, drafted = ladder.waiting(size=1).items[0], ladder.acted(state=State.DRAFTED, size=1).items[0]
    names = {
        "question": question.id, "id": question.id, "action": question.call.key, "key": question.call.key,
        "agent": crowd.AGENT, "tool": question.call.tool, "name": "ana", "person": "ana",
    }  # fmt: skip
    for entry in ENTRIES:
        known = set(re.findall(r"{(\w+)[^}]*}", entry.path)) <= names.keys()
        if entry.path.startswith("/drafts"):
            names["action"] = drafted.key
        if entry.show is not None and known:
            yield entry.path, re.sub(r"{(\w+)[^}]*}", lambda found: names[found[1]], entry.path)
    for path, query in (("/confirm", "mine=yes"), ("/history", "tool=write_offer"), ("/history", "person=ana")):
        if any(entry.path == path for entry in ENTRIES):
            yield f"{path}?{query}", f"{path}?{query}"


def _growth(client: TestClient, addresses: list[str]) -> Figure:
    before = _resident()
    for n in range(MANY):
        client.get(addresses[n % len(addresses)])
    after = _resident()
    note = f"{before >> 20} MB before {MANY} pages, {after >> 20} MB after"
    return Figure("console.growth", (after - before) / 2**20, "mb", GROWS, note=note)


def _resident() -> int:
    """Bytes of memory that the process has now, as Linux tells it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _figure(name: str, costs: list[float], goal: float) -> Figure:
    rising = sorted(costs)
    middle, late = rising[len(rising) // 2], rising[int(0.95 * (len(rising) - 1))]
    return Figure(f"{name}.p95", late, "ms_cpu", goal, note=f"p50 {middle:.1f} ms, of {len(costs)}")


def _spent(work: Callable[[], Any]) -> float:
    """The CPU time of the process for it, in milliseconds."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000
