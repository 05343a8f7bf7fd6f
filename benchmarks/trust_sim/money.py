"""Rules for when somebody is asked, day by day: those that people use, and the product's own with its demotions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.trust_sim.product import Setting, reached, trust
from benchmarks.trust_sim.worlds import NOON, Floats, Integers
from benchmarks.trust_sim.years import Flags, Today, Year
from ladder_graph.scale import Rung
from ladder_graph.trust.deeds import Severity
from ladder_graph.trust.delay import known_by
from ladder_graph.trust.demotion import RECENT, Demotion, after_alarm, after_incident, repeated
from ladder_graph.trust.evalue import ALARM, FARTHEST, bet, ecusum, warm
from ladder_graph.trust.held import BACK

# --- rules that people use ---------------------------------------------------------------------------------------


def same(today: Today) -> Flags:
    """It stays as it is: always or never."""
    return today.asked


@dataclass(slots=True)
class Oracle:
    """Whoever knows how often the agent is wrong asks where that is cheaper."""

    happened: Year

    def __call__(self, today: Today) -> Flags:
        """Look at tomorrow."""
        return self.happened.worth_asking(min(today.day + 1, self.happened.chance.shape[1] - 1))


@dataclass(slots=True)
class Rolling:
    """99 % of the last 30 days right, and 50 runs in them; else somebody is asked again."""

    done: list[Integers] = field(default_factory=list)
    wrong: list[Integers] = field(default_factory=list)

    def __call__(self, today: Today) -> Flags:
        """Look at today."""
        self.done.append(today.done)
        self.wrong.append(today.caught + today.reported())
        done, wrong = np.sum(self.done[-30:], axis=0), np.sum(self.wrong[-30:], axis=0)
        asked: Flags = (done < 50) | (wrong > (1 - 0.99) * done)  # noqa: PLR2004  # the rule itself
        return asked


@dataclass(slots=True)
class Streak:
    """50 right in a row; any mistake begins the count anew, and somebody is asked again."""

    right: Floats

    def __call__(self, today: Today) -> Flags:
        """Look at today."""
        wrong = today.caught + today.reported()
        self.right = np.where(wrong > 0, 0, self.right + today.done)
        asked: Flags = self.right < 50  # noqa: PLR2004  # the rule itself
        return asked


@dataclass(slots=True)
class Walk:
    """A score that gains .01 with a success, loses .1 with a mistake, and asks below .9."""

    score: Floats

    def __call__(self, today: Today) -> Flags:
        """Look at today."""
        steps = 0.01 * (today.done - today.caught) - 0.1 * (today.caught + today.reported())
        self.score = np.clip(self.score + steps, 0, 1)
        asked: Flags = self.score < 0.9  # noqa: PLR2004  # the rule itself
        return asked


# --- the product's ------------------------------------------------------------------------------------------------


class Product:
    """The certificate, and demotions: by each mistake that is reported, where `severity` says so, and by the alarm.

    Another agent is another cell, which begins with nothing, and with a bet on the record of the one before. Without
    `cells` nobody minds.
    """

    def __init__(self, rows: int, days: int, setting: Setting, severity: Severity, *, cells: bool = True) -> None:
        self.setting, self.severity, self.cells = setting, severity, cells
        self.begun, self.rho = np.zeros(rows, np.int64), np.ones(rows)
        self.k, self.n_eff, self.alarm = np.zeros(rows), np.zeros(rows), np.zeros(rows)
        self.share = np.zeros((rows, days))
        self.since, self.until = np.full(rows, NOON), np.zeros(rows)
        self.active, self.wiped = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self.open = np.zeros((2, rows, days))
        """The runs of each day in which a mistake may still come out, by whether somebody was asked."""
        self.demotions: list[list[int]] = [[] for _ in range(rows)]
        ages = [age + NOON for age in range(days)]
        self.q = np.array([[self._known_by(age, asked=asked) for age in ages] for asked in (False, True)])
        self.grows = np.diff(self.q, prepend=0.0, axis=1)

    def _known_by(self, age: float, *, asked: bool) -> float:
        told = self.setting
        return known_by(age, told.sensitivity if asked else 0.0, told.delays, told.ever)

    def __call__(self, today: Today) -> Flags:
        """Look at today."""
        limit, alpha, now = self.setting.price.limit, self.setting.alpha, today.day + 1
        caught, reported = self._caught(today), self._reported(today)
        k, n = caught + reported[0], caught * self._known_by(0, asked=True) + reported[1]
        self.k += k
        self.n_eff += n
        self.active += today.done > 0
        fallen, back = self._fallen(today, k, limit * n)
        told = trust(alpha)
        late = (now - self.since >= told.least_days) & (self.active >= told.active_days) & (self.until <= now)
        risen = today.asked & late & self._enough(today.asked & late)
        self.alarm[risen], anew = 0.0, fallen & ~back
        self.since[anew], self.active[anew] = now, 0
        other = today.other & self.cells
        self._begin(other, today.day)
        asked: Flags = today.asked & ~risen | fallen | other
        return asked

    def _enough(self, these: Flags) -> Flags:
        """Whether the e-value is reached, by a bet where there is one."""
        limit, alpha = self.setting.price.limit, self.setting.alpha
        m = limit * self.n_eff
        enough = reached(self.k, m, alpha)
        for row in np.flatnonzero(these & (self.rho <= FARTHEST)):
            enough[row] = warm(float(self.k[row]), float(m[row]), float(self.rho[row])) >= 1 / alpha
        return enough

    def _begin(self, these: Flags, day: int) -> None:
        """Begin another cell, from tomorrow on."""
        for row in np.flatnonzero(these):
            self.rho[row] = bet(float(self.k[row]), self.setting.price.limit * float(self.n_eff[row]))
            self._wipe(int(row), day)
            self.begun[row], self.since[row], self.until[row] = day + 1, day + 1 + NOON, 0.0
            self.active[row], self.demotions[row] = 0, []

    def _caught(self, today: Today) -> Floats:
        """The loss that was caught today; what is left of the day is open."""
        share = np.minimum(1, self.setting.most / np.maximum(today.done, 1))
        self.share[:, today.day] = share
        self.open[today.asked.astype(int), np.arange(share.size), today.day] = share * (today.done - today.caught)
        return share * today.caught

    def _reported(self, today: Today) -> Floats:
        """The loss that was reported today, and what the effective runs grow by."""
        grows, day = np.zeros((2, today.done.size)), today.day
        for every in today.late:
            row, made, delay, looked = every.of(every.day >= self.wiped[every.row])
            place, share = looked.astype(int), self.share[row, made]
            kept = np.array([self._known_by(d, asked=bool(a)) for d, a in zip(delay, looked, strict=True)])
            before = np.where(made < day, self.q[place, np.maximum(day - made - 1, 0)], 0.0)
            np.add.at(grows[0], row, share)
            np.add.at(grows[1], row, share * (kept - before))
            np.add.at(self.open, (place, row, made), -share)
        for asked in (0, 1):
            grows[1] += self.open[asked, :, : day + 1] @ self.grows[asked, day::-1]
        return grows

    def _fallen(self, today: Today, k: Floats, m: Floats) -> tuple[Flags, Flags]:
        """Take down what must go down, before its next run; and which of them need not spend their days anew."""
        fallen, back = np.zeros(today.done.size, np.bool_), np.zeros(today.done.size, np.bool_)
        reported = today.reported(self.begun)
        for row in np.flatnonzero(~today.asked & ((k > 0) | (self.alarm > 0) | (reported > 0))):
            self.alarm[row] = ecusum(float(self.alarm[row]), float(k[row]), max(0.0, float(m[row])))
            found = after_alarm(Rung.BOUNDED, "") if self.alarm[row] >= ALARM else None
            if found is None and reported[row]:
                found = after_incident(Rung.BOUNDED, self.severity, "", anticipated=True)
            if found is not None:
                fallen[row], back[row] = True, found.code in BACK
                self._demote(int(row), today.day, found)
        return fallen, back

    def _demote(self, row: int, day: int, found: Demotion) -> None:
        earlier = [at for at in self.demotions[row] if at > day - RECENT]
        self.until[row] = max(self.until[row], day + 1 + repeated(found, len(earlier)).cooldown)
        self.demotions[row] = [*earlier, day]
        if found.evidence == "wipe":
            self._wipe(row, day)

    def _wipe(self, row: int, day: int) -> None:
        self.k[row] = self.n_eff[row] = self.alarm[row] = 0.0
        self.wiped[row], self.open[:, row, :] = day + 1, 0.0
