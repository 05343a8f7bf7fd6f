"""What a cell holds after promotions and demotions."""

from __future__ import annotations

import itertools

import pytest

from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.demotion import LONGEST, RECENT
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.held import NOTHING, Event, Held, earlier, nearest, rows

CELL = CellKey("ops", "send_email", "s", "e")
ALL = CellKey("ops", "send_email", EVERY, EVERY)


def down(at, rung=Rung.CONFIRM, code="D1", cooldown=14, evidence="keep", cell=CELL):
    """A demotion."""
    return Event(at * DAY, "demoted", cell, rung, f"{code} of day {at}", code, evidence, cooldown)


def up(at, rung=Rung.BOUNDED, cell=CELL):
    """A promotion."""
    return Event(at * DAY, "promoted", cell, rung, "signed", "signed")


def held(*events):
    """What the cell holds after these steps."""
    return nearest(rows(events), CELL)


def test_a_promotion_raises_and_a_demotion_caps():
    """Each start rung is a floor for what was earned, and none for a demotion."""
    assert NOTHING.rung(Rung.CONFIRM) is Rung.CONFIRM
    assert held(up(1)).rung(Rung.CONFIRM) is Rung.BOUNDED
    assert held(up(1)).rung(Rung.REPORT) is Rung.REPORT
    assert held(up(1), down(2)).rung(Rung.REPORT) is Rung.CONFIRM
    assert held(down(1), up(20)).rung(Rung.REPORT) is Rung.BOUNDED


def test_demotions_come_in_any_order():
    """The lowest rung, the latest wait, the latest wipe, whatever the order in which they are taken."""
    some = [
        down(1, Rung.ROLLBACK, cooldown=112),
        down(50, Rung.DRAFT, "D2", 28, "wipe"),
        down(95, Rung.BOUNDED, "D6", 7, "half"),
    ]
    found = {held(*order) for order in itertools.permutations(some)}
    assert found == {
        Held(cap=Rung.DRAFT, reason="D2 of day 50", code="D2", since_us=95 * DAY, cooldown_us=113 * DAY,
             wiped_us=50 * DAY, stale_us=95 * DAY, demotions=(50 * DAY, 95 * DAY)),
    }  # fmt: skip


def test_a_demotion_beats_a_promotion_of_the_same_moment():
    """Whoever signed didn't know of it, in whatever order the two were written."""
    for events in ([down(5), up(5)], [up(5), down(5)], [down(5), up(4)]):
        assert held(*events).rung(Rung.CONFIRM) is Rung.CONFIRM


def test_the_same_demotion_counts_once():
    """Told twice it makes no second wait."""
    assert held(down(5), down(5)) == held(down(5))
    assert held(down(1), down(5)).recent(6 * DAY) == 2
    assert held(down(1), down(5)).recent(93 * DAY) == 1
    assert [held(down(1)).recent((1 + RECENT) * DAY + us) for us in (-1, 0)] == [1, 0]
    assert held(down(1), down(1 + RECENT)).demotions == ((1 + RECENT) * DAY,)


@pytest.mark.parametrize(
    ("code", "counted"),
    [("D1", 0), ("D5", 0), ("D6", 0), ("D8", 0), ("D2", 5 * DAY), ("D4", 5 * DAY), ("manual", 5 * DAY)],
)
def test_after_a_demotion_that_kept_its_evidence_a_cell_only_waits(code, counted):
    """It needn't spend its days on the lower rung again; once it is back up, it must."""
    lowered = held(down(5, code=code))
    assert lowered.counted_us == counted
    assert lowered.after(up(40)).counted_us == 40 * DAY


def test_a_demotion_of_all_reaches_cells_that_act_later():
    """A new environment begins from what all of them were left with."""
    new = CELL._replace(env="new")
    found = rows([up(1), down(2, cell=ALL)])
    assert found[CELL].rung(Rung.CONFIRM) is Rung.CONFIRM
    assert nearest(found, new).cap is Rung.CONFIRM
    assert nearest(found, new._replace(tool="other")) == NOTHING
    assert rows([down(2, cell=ALL), up(30, cell=new)])[new].rung(Rung.CONFIRM) is Rung.BOUNDED


def test_of_two_wide_rows_the_lower_wins():
    """One is for all scopes, one for all environments; neither hides the other."""
    scopes, envs = CELL._replace(scope=EVERY), CELL._replace(env=EVERY)
    for events in itertools.permutations([
        down(2, Rung.BOUNDED, cell=scopes),
        down(3, Rung.DRAFT, "D2", 28, "wipe", envs),
        down(4, Rung.ROLLBACK, cell=ALL),
    ]):  # fmt: skip
        found = held(*events)
        assert (found.cap, found.code, found.cooldown_us, found.wiped_us) == (Rung.DRAFT, "D2", 31 * DAY, 3 * DAY)
        assert found.demotions == (2 * DAY, 3 * DAY, 4 * DAY)


def test_earlier_demotions_are_those_of_the_cell_that_fell_most_often():
    """Of all cells that a wide one stands for; several that fell at once don't add up, and others don't count."""
    twin, other = CELL._replace(scope="t"), CELL._replace(env="f")
    found = rows([down(1), down(2), down(2, cell=twin), down(3, cell=other), down(3, cell=twin)])
    scope = CELL._replace(env=EVERY)
    now = 4 * DAY
    assert [earlier(found, one, now) for one in (CELL, twin, other, scope, ALL)] == [2, 2, 1, 2, 2]
    assert earlier(rows([down(1), down(2, cell=ALL)]), other, now) == 1
    assert earlier({}, ALL, now) == earlier(found, ALL, 93 * DAY) == 0


def test_an_event_survives_its_entry():
    """What is written is what is read."""
    for event in (up(1), down(2, Rung.DRAFT, "D2", 28, "wipe", ALL)):
        assert Event.of("ops", event.at_us, event.kind, event.body) == event


@pytest.mark.parametrize(
    "body", [{}, {"tool": 5, "rung": 3}, {"tool": "t", "rung": 3}, {"tool": "t", "rung": True, "scope": "", "env": "e"},
             {"tool": "t", "rung": 9, "scope": "", "env": "e"}, {"tool": "t", "rung": 3, "scope": "", "env": EVERY}],
)  # fmt: skip
def test_a_promotion_that_cannot_be_read_promotes_nobody(body):
    """Nor does one that isn't for one cell."""
    with pytest.raises(ValueError, match="can't be read"):
        Event.of("ops", 1, "promoted", body)


def test_a_demotion_that_cannot_be_read_whole_is_taken_at_its_worst():
    """The lowest rung, everywhere, wiped, with the longest wait."""
    odd = {"tool": "t", "rung": "low", "scope": 1, "env": None, "evidence": "some", "cooldown": "long"}
    found = Event.of("ops", 1, "demoted", odd)
    assert (found.rung, found.cell, found.evidence, found.cooldown) == (
        Rung.SUGGEST, CellKey("ops", "t", EVERY, EVERY), "wipe", 112,
    )  # fmt: skip


def test_what_is_held_survives_its_row():
    """The row that the gate reads holds all of it."""
    found = held(up(1), down(2))
    assert Held.read(found.text) == found


def test_what_a_short_entry_says_of_a_demotion():
    """A person's, that keeps the evidence and makes nobody wait."""
    found = Event.of("ops", 1, "demoted", {"tool": "t", "rung": 2, "scope": "s", "env": "e"})
    assert found == Event(1, "demoted", CellKey("ops", "t", "s", "e"), Rung.CONFIRM, "", "manual", "keep", 0)
    assert found == Event(1, "demoted", CellKey("ops", "t", "s", "e"), Rung.CONFIRM, "")


@pytest.mark.parametrize("evidence", ["keep", "half", "wipe"])
@pytest.mark.parametrize("cooldown", [0, 1, LONGEST])
def test_what_an_entry_may_say_is_taken_as_it_says(evidence, cooldown):
    """Up to the longest wait there is; one day more is nothing that anybody wrote."""
    body = {"tool": "t", "rung": 2, "scope": "s", "env": "e", "evidence": evidence, "cooldown": cooldown}
    found = Event.of("ops", 1, "demoted", body)
    assert (found.evidence, found.cooldown) == (evidence, cooldown)
    for odd in (-1, LONGEST + 1, True):
        assert Event.of("ops", 1, "demoted", body | {"cooldown": odd}).cooldown == LONGEST


@pytest.mark.parametrize("tool", ["", None, 5])
def test_a_step_of_no_tool_is_none(tool):
    """Nobody can tell whose it is."""
    with pytest.raises(ValueError, match="can't be read"):
        Event.of("ops", 1, "demoted", {"tool": tool, "rung": 2, "scope": "s", "env": "e"})


def test_a_cell_that_was_never_moved_holds_nothing():
    """Nothing lies behind it, and nothing is to be waited for."""
    assert (NOTHING.since_us, NOTHING.cooldown_us, NOTHING.wiped_us, NOTHING.stale_us, NOTHING.sampled_us) == (0,) * 5
    assert (held(down(5)).wiped_us, held(down(5)).stale_us) == (0, 0)


def step(kind, at, rung=Rung.BOUNDED, cooldown=0):
    """Another step of the cell."""
    return Event(at * DAY, kind, CELL, rung, "", kind, cooldown=cooldown)


def test_some_calls_ask_until_the_latest_of_its_ends():
    """A suspicion takes nothing away, and a shorter one doesn't end a longer one."""
    assert held(step("sampled", 2, cooldown=14)) == Held(sampled_us=16 * DAY)
    assert held(step("sampled", 2, cooldown=14), step("sampled", 3, cooldown=1)).sampled_us == 16 * DAY
    assert held(step("sampled", 2, cooldown=14), down(3)).sampled_us == 16 * DAY


def test_what_was_earned_as_something_else_is_carried_along():
    """It keeps the higher rung, and waits as long as it had to."""
    assert held(step("carried", 2)) == Held(earned=Rung.BOUNDED, since_us=2 * DAY)
    assert held(up(1, Rung.ROLLBACK), step("carried", 2)).earned is Rung.ROLLBACK
    assert held(step("carried", 2, cooldown=7)).cooldown_us == 9 * DAY
    assert held(down(1, cooldown=14), step("carried", 2, cooldown=7)).cooldown_us == 15 * DAY
    assert held(down(1, cooldown=14), step("carried", 2)).cooldown_us == 15 * DAY
    assert held(down(1), step("carried", 2)).cap is Rung.CONFIRM
    assert held(down(2), step("carried", 2)) == held(down(2))


def test_of_two_demotions_to_one_rung_the_first_says_why():
    """The second one takes nothing away."""
    assert held(down(1), down(5, code="D2")).code == "D1"


def test_beside_nothing_it_is_what_it_was():
    """Of two rows the lower rung counts, and what was earned only where both have it."""
    one, other = Held(earned=Rung.REPORT, cap=Rung.CONFIRM, reason="so"), Held(earned=Rung.BOUNDED)
    assert one.beside(NOTHING) == NOTHING.beside(one) == one
    for both in (one.beside(other), other.beside(one)):
        assert (both.earned, both.cap, both.reason) == (Rung.BOUNDED, Rung.CONFIRM, "so")
    assert other.beside(Held(cap=Rung.DRAFT)).earned is None
    assert Held(cap=Rung.REPORT, reason="so").beside(other).reason == "so"


def test_what_is_for_all_of_a_tool_holds_where_no_narrower_row_is():
    """Each of the two narrower ones has taken it in already."""
    assert nearest({ALL: Held(cap=Rung.DRAFT)}, CELL).cap is Rung.DRAFT
    assert nearest({ALL: Held(cap=Rung.DRAFT), CELL._replace(env=EVERY): Held(cap=Rung.CONFIRM)}, CELL).cap == 2
