"""The fingerprint: what an agent was and is, what the change cost, and what somebody decides that it keeps."""

from __future__ import annotations

import contextlib
import re

import pytest

from ladder_graph.console import sign_in_link
from ladder_graph.ledger.evidence import provenance
from ladder_graph.policy.model import Someone
from ladder_graph.prompts import Render
from ladder_graph.scale import Rung
from tests.console.conftest import HOST
from tests.console.test_ladder import PEOPLE, named, shown, stands
from tests.unit.world import BOSS, World, model

PAGE = "/fingerprint/ops"
OTHER = model("gpt-5-2025-11-20", "p2")


@pytest.fixture
def world():
    """A world whose tool was granted the rung bounded, and whose model and prompt have just become others."""
    with contextlib.closing(World(start="bounded")) as world:
        world.call()
        for component, text in (("p1", "Never <b>deploy</b> alone.\nBe kind."), ("p2", "Always deploy.\nBe kind.")):
            _told(world, component, text)
        world.approved(env=OTHER)
        yield world


def _told(world, component, text):
    render = Render((text,), (), ())
    world.ladder._write(lambda journal, cursor: provenance.prompt(journal, cursor, "ops", component, render))


def choose(browser, **fields):
    """Send the page's form as it is, with these fields."""
    page = browser.get(PAGE).text
    kept = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("before", "after")}
    data = {"form": browser.token(page, PAGE), **kept, "shown": shown(page), "act": "record", **fields}
    return browser.client.post(PAGE, data=data, headers={"origin": HOST})


def now(world):
    """The rung on which a call of the changed agent would go."""
    world.env, before = OTHER, world.env
    found = stands(world)
    world.env = before
    return found


def test_it_shows_both_part_by_part_with_what_it_cost(world):
    """Each part with its flag, and each cell with where it fell from and why."""
    page = named(world).visitor("vi").get(PAGE).text
    assert "ops is not the agent that earned its rungs" in page
    assert "gpt-5-2025-08-07" in page
    assert '<span class="flag warn">changed</span>' in page
    assert '<span class="flag ok">same</span>' in page
    assert re.search(r"3 bounded.*2 confirm.*fell", page, re.DOTALL)
    assert "the model changed from gpt-5-2025-08-07 to gpt-5-2025-11-20" in page


def test_the_prompts_difference_marks_what_changed_within_a_line(world):
    """Words that went and came, as text and never as markup."""
    page = named(world).visitor("vi").get(PAGE).text
    assert "<del>Never &lt;b&gt;deploy&lt;/b&gt; alone.</del>" in page or "<del>Never</del>" in page
    assert "1 lines removed, 1 added" in page
    assert "<b>deploy</b>" not in page


def test_a_carried_standing_is_given_back_and_stands_in_the_log(world):
    """The next call runs unasked; the cell's page and this one say who decided, and why."""
    made = named(world)
    assert choose(made.visitor(BOSS), keep="all", reason="only its date is new").status_code == 303
    assert now(world) is Rung.BOUNDED
    ran = len(world.desk.ran)
    world.call(env=OTHER)
    assert len(world.desk.ran) == ran + 1
    vi = made.visitor("vi")
    page = vi.get("/ladder/ops/refund").text
    assert "carried over" in page
    assert "only its date is new" in page
    page = vi.get(PAGE).text
    assert "only its date is new" in page
    assert world.ladder.recompute() == []
    assert world.ladder.verify().ok


def test_earning_again_is_a_recorded_choice(world):
    """Nothing changes, and it is known who decided it."""
    made = named(world)
    assert choose(made.visitor(BOSS), keep="none", reason="it is another one").status_code == 303
    assert now(world) is Rung.CONFIRM
    page = made.visitor("vi").get(PAGE).text
    assert "earns again" in page
    assert "it is another one" in page


@pytest.mark.parametrize("who", ["vi", "ana", "pat"])
def test_nobody_else_decides(world, who):
    """No form is shown to whoever may not sign, and the address takes none from them."""
    browser = named(world).visitor(who)
    page = browser.get(PAGE).text
    assert 'name="keep"' not in page
    answer = browser.client.post(PAGE, data={"form": "x", "keep": "all"}, headers={"origin": HOST})
    assert answer.status_code == 403
    assert now(world) is Rung.CONFIRM


def test_deciding_takes_a_fresh_sign_in_and_loses_nothing(world):
    """The way back leads to the same comparison, with the choice and the reason."""
    rita = named(world).visitor(BOSS)
    world.clock.advance(400)
    answer = choose(rita, keep="all", reason="only its date is new")
    assert answer.status_code == 403
    assert now(world) is Rung.CONFIRM
    back = re.findall(r'name="next" value="([^"]+)"', answer.text)[-1].replace("&amp;", "&")
    link = sign_in_link(world.ladder, BOSS, by=BOSS)
    rita.client.post("/signin", data={"link": link, "next": back}, headers={"origin": HOST})
    page = rita.get(back).text
    assert "only its date is new" in page
    assert re.search(r'value="all" checked', page)
    assert choose(rita, keep="all", reason="only its date is new").status_code == 303
    assert now(world) is Rung.BOUNDED


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"keep": "all", "reason": " "}, 422, "Say why"),
        ({"keep": "", "reason": "r"}, 422, "Choose what it keeps"),
        ({"keep": "everything", "reason": "r"}, 422, "Choose what it keeps"),
        ({"keep": "all", "reason": "r", "shown": "other"}, 409, "It stands elsewhere by now"),
        ({"keep": "all", "reason": "kept words", "act": ""}, 200, "kept words"),
    ],
)
def test_nothing_is_decided_by_half(world, fields, status, says):
    """Without a choice, without a reason, on another page than was shown, or by the button that decides nothing."""
    answer = choose(named(world).visitor(BOSS), **fields)
    assert answer.status_code == status
    assert says in answer.text
    assert now(world) is Rung.CONFIRM


def test_what_fell_meanwhile_is_not_carried(world):
    """A demotion between looking and deciding makes the form stale."""
    rita = named(world).visitor(BOSS)
    page = rita.get(PAGE).text
    kept = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("before", "after")}
    world.ladder.demote("refund", "draft", reason="meanwhile", by="ana")
    data = {"form": rita.token(page, PAGE), **kept, "shown": shown(page), "act": "record", "keep": "all", "reason": "r"}
    assert rita.client.post(PAGE, data=data, headers={"origin": HOST}).status_code == 409
    assert now(world) is Rung.DRAFT


def test_without_the_label_nobody_decides(world):
    """What these tools touch carries it."""
    made = named(world, labels=("card",))
    page = made.visitor(BOSS).get(PAGE).text
    assert 'name="keep"' not in page
    assert "takes the label card" in page
    people = {**PEOPLE, BOSS: Someone(roles=["promoter"], console="promoter", labels=["card"])}
    assert 'name="keep"' in named(world, people, labels=("card",)).visitor(BOSS).get(PAGE).text


def test_others_are_compared_by_their_keys(world):
    """And a key that is none is not there."""
    vi = named(world).visitor("vi")
    seen, was = world.ladder.sightings()
    page = vi.get(f"{PAGE}?before={seen.key[:16]}&after={was.key[:16]}").text
    assert "Nothing stands lower by the change" in page
    assert vi.get(f"{PAGE}?before=ffff").status_code == 404
    assert vi.get("/fingerprint/nobody").status_code == 404
    assert named(world).visitor("eve").get(PAGE).status_code == 404


def test_one_agent_is_shown_at_once_and_several_are_listed(console, world):
    """And one that has not acted yet says so."""
    assert named(world).visitor("vi").get("/fingerprint").headers["location"] == PAGE
    quiet = console(agent="ops", rungs={"look": "confirm"}).visitor()
    assert "has not acted yet" in quiet.get(PAGE).text
    with contextlib.closing(World()) as other:
        other.ladder.seat("look", other.ladder.seat_of("ops", "refund").declaration, agent="ops/research", can_ask=True)
        page = named(other).visitor("vi").get("/fingerprint").text
        assert "/fingerprint/ops~2Fresearch" in page
