"""What the agent of a soak may do: a tool or more on every rung, with limits tight enough to be met again and again."""

from __future__ import annotations

AGENT = "soak"
PEOPLE = ("ana", "bo", "cy")
"""Who answers at the console. None of them needs a label, and each may answer everything."""
KEY, WORLD = "SOAK_CONSOLE_KEY", "SOAK_WORLD"
"""Variables of the environment: what the console signs with, and where the world is."""

MINUTE, TWENTY, THREAD, SUM, EACH, STRETCH, BURST = 40, 10, 2, 200, 24, 30, 6
"""Calls a minute; calls in any twenty seconds; calls of a thread, ever; dollars a minute; calls a minute of one
account; calls in half a minute by their rate, and how many of them at once."""
ACCOUNTS = ("north", "south")
"""Whose calls are counted apart."""

CHECK = (
    'checks = [{ kind = "python", function = "tests.soak.tools:well", count = 1, every = 2, inconclusive_limit = 9 }]'
)
WATCHED = f"""
bounds = [{{ kind = "volume", limit = {MINUTE}, per = "minute" }}]
{CHECK}
watch = {{ window = "8s" }}
"""

POLICY = f"""
agent = "{AGENT}"
ledger = "LEDGER"
watcher = "process"
rehearsals = "advised"

[console]
key_env = "{KEY}"

[reports]
reader = "ana"
sla = "24h"

[people]
{chr(10).join(f'{name} = {{ console = "reviewer" }}' for name in PEOPLE)}

[tools.advise]
rung = "suggest"

[tools.propose]
rung = "draft"

[tools.pay]
rung = "confirm"
confirm = {{ expires = "25s" }}

[tools.ship]
rung = "bounded"
confirm = {{ expires = "25s" }}
bounds = [
  {{ kind = "volume", limit = {TWENTY}, within = "20s" }},
  {{ kind = "volume", limit = {THREAD}, per = "ever", by = "thread" }},
]

[tools.charge]
rung = "bounded"
confirm = {{ expires = "25s" }}
bounds = [
  {{ kind = "cost", argument = "amount", limit = "${SUM}", per = "minute" }},
  {{ kind = "volume", limit = {EACH}, per = "minute", each_value_of = "account" }},
]

[tools.ping]
rung = "bounded"
confirm = {{ expires = "25s" }}
bounds = [{{ kind = "rate", limit = {STRETCH}, within = "30s", burst = {BURST} }}]

[tools.switch]
rung = "rollback"
{WATCHED}
[tools.write]
rung = "rollback"
{WATCHED}
[tools.page]
rung = "rollback"
{WATCHED}
[tools.mail]
rung = "rollback"
{WATCHED}
[tools.tell]
rung = "report"
{WATCHED}
"""
"""The policy; `LEDGER` is put in by the run."""

RUNGS = {
    "advise": 0, "propose": 1, "pay": 2, "ship": 3, "charge": 3, "ping": 3, "switch": 4, "write": 4, "page": 4,
    "mail": 4, "tell": 5,
}  # fmt: skip
"""Each tool with the rung that it claims."""
