"""The ladder: where each tool really stands and why, lowering it in one step, and raising it on what was shown."""

from __future__ import annotations

import contextlib
import re

import pytest

from ladder_graph.calls import Call
from ladder_graph.console import sign_in_link
from ladder_graph.console.addresses import name_of, segment
from ladder_graph.policy.model import Someone
from ladder_graph.scale import Rung
from ladder_graph.tools import NOTHING
from tests.console.conftest import HOST, Console
from tests.unit.world import BOSS, World

PEOPLE = {
    BOSS: Someone(roles=["promoter"], console="promoter"), "ana": Someone(console="reviewer"),
    "vi": Someone(console="viewer"), "eve": Someone(console={"other": "admin"}),
    "pat": Someone(console="promoter"),
}  # fmt: skip
CELL = "/ladder/ops/refund"


def named(world, people=PEOPLE, **rule):
    """The world's ladder with people whom its policy names."""
    policy = world.ladder.policy
    tools = {name: one.model_copy(update=rule) for name, one in policy.tools.items()}
    world.ladder.policy = policy.model_copy(update={"people": dict(people), "tools": tools})
    return Console(world.ladder)


@pytest.fixture
def world():
    """A world on its first day."""
    with contextlib.closing(World()) as world:
        yield world


@pytest.fixture
def grown(world):
    """A world in which the tool may go up."""
    for _ in range(28):
        world.day(1)
    world.ladder.attest(by=BOSS)
    return world


def stands(world):
    """The rung on which a call would go now."""
    call = Call("ops", "look", "look", "refund", {"amount": 5, "order": "x"}, world.env.key("refund"))
    return world.ladder.route(call, world.env)[0].rung


def test_the_matrix_shows_each_cell_by_glyph_number_and_name(world):
    """With what is to know of it, and a link to its page."""
    world.day(1)
    page = named(world).visitor("vi").get("/ladder").text
    assert "<b>2 confirm</b>" in page
    assert 'class="ladder rung-2"' in page
    assert f'href="{CELL}"' in page


def test_a_part_of_the_next_rung_is_drawn_as_far_as_the_evidence_goes(grown):
    """Whole where it may go up, and said so."""
    page = named(grown).visitor("vi").get("/ladder").text
    assert re.search(r'<path class="next" d="M5 14.5h11.0"/>', page)
    assert "may go up" in page


def test_it_says_where_it_really_stands_and_why(console):
    """The policy claims more than is in place."""
    made = console(agent="ops", rungs={"send_email": "report"})
    page = made.visitor().get("/ladder/ops/send_email").text
    assert "Stands on 3, bounded; the policy claims 5, report." in page
    assert "nobody is named to read its reports" in page


def test_the_cell_page_shows_every_condition_with_its_numbers(world):
    """And what is missing, and that evidence alone raises nothing."""
    world.day(1)
    page = named(world).visitor("vi").get(CELL).text
    assert "Days on this rung" in page
    assert "1 of 21" in page
    assert "<progress" in page
    assert "evidence alone never raises a rung" in page
    assert "The certificate" in page


def test_a_viewer_lowers_nothing(world):
    """No form is shown, and one that is made by hand is refused."""
    world.day(1)
    vi = named(world).visitor("vi")
    assert "Lower to" not in vi.get(CELL).text
    answer = vi.client.post(CELL, data={"form": "x", "to": "1", "reason": "r"}, headers={"origin": HOST})
    assert answer.status_code == 403
    assert stands(world) is Rung.CONFIRM


def test_a_reviewer_lowers_in_one_step_for_a_reason(grown):
    """It counts from the next call on, and the log of the cell says who and why."""
    ana = named(grown).visitor("ana")
    page = ana.get(CELL).text
    data = {"form": ana.token(page, CELL), "scope": "", "stands": "2", "to": "1", "reason": "it wrote to <b>Bo</b>"}
    assert ana.client.post(CELL, data=data, headers={"origin": HOST}).status_code == 303
    assert stands(grown) is Rung.DRAFT
    page = ana.get(CELL).text
    assert "lowered" in page
    assert "it wrote to &lt;b&gt;Bo&lt;/b&gt;" in page
    assert ">by ana</span>" in page


def send(browser, to, /, **fields):
    """Send the form to an address from the page of the cell."""
    page = browser.get(CELL).text
    return browser.client.post(to, data={"form": browser.token(page, to), **fields}, headers={"origin": HOST})


def test_lowering_takes_a_reason(world):
    """Without one nothing is done, and the page says so."""
    world.day(1)
    answer = send(named(world).visitor("ana"), CELL, scope="", stands="2", to="1", reason=" ")
    assert answer.status_code == 422
    assert "Say why" in answer.text
    assert stands(world) is Rung.CONFIRM


def test_no_form_for_lowering_raises(world):
    """A rung above where it stands, or one that is none, is refused."""
    world.day(1)
    ana = named(world).visitor("ana")
    assert send(ana, CELL, scope="", stands="2", to="4", reason="r").status_code == 409
    assert send(ana, CELL, scope="", stands="2", to="x", reason="r").status_code == 400
    assert stands(world) is Rung.CONFIRM


def test_what_moved_meanwhile_is_shown_anew(world):
    """A form that was made where it stood elsewhere does nothing, and keeps what was typed."""
    world.day(1)
    ana = named(world).visitor("ana")
    page = ana.get(CELL).text
    world.ladder.demote("refund", "draft", reason="meanwhile", by="bo")
    data = {"form": ana.token(page, CELL), "scope": "", "stands": "2", "to": "0", "reason": "too often wrong"}
    answer = ana.client.post(CELL, data=data, headers={"origin": HOST})
    assert answer.status_code == 409
    assert "too often wrong" in answer.text
    assert stands(world) is Rung.DRAFT


def test_a_hold_keeps_it_where_it_is(console):
    """What comes into place later doesn't lift it any more."""
    made = console(agent="ops", rungs={"send_email": "report"})
    ana = made.visitor()
    page = ana.get("/ladder/ops/send_email").text
    token = ana.token(page, "/ladder/ops/send_email")
    data = {"form": token, "scope": "", "stands": "3", "to": "hold", "reason": "not yet"}
    assert ana.client.post("/ladder/ops/send_email", data=data, headers={"origin": HOST}).status_code == 303
    (cell,) = made.ladder.status()
    assert "not yet" in cell.route.why


def test_a_reviewer_raises_nothing(grown):
    """No form is shown, and one that is made by hand is refused."""
    ana = named(grown).visitor("ana")
    page = ana.get(CELL).text
    assert f'action="{CELL}/raise"' not in page
    assert "The evidence is complete." in page
    data = {"form": ana.token(page, CELL), "scope": "", "shown": "x"}
    assert ana.client.post(f"{CELL}/raise", data=data, headers={"origin": HOST}).status_code == 403
    assert stands(grown) is Rung.CONFIRM


def test_whom_the_policy_does_not_let_promote_signs_nothing(grown):
    """The console's access is not enough: the list of promoters counts too."""
    page = named(grown).visitor("pat").get(CELL).text
    assert f'action="{CELL}/raise"' not in page
    assert "Pat may not sign a promotion" in page


def shown(page):
    """What a page binds a signature to."""
    return re.search(r'name="shown" value="([^"]+)"', page)[1]


def test_a_promoter_raises_only_after_a_fresh_sign_in(grown):
    """A page says how, leads back with what was typed, and the next call runs unasked."""
    made = named(grown)
    rita = made.visitor(BOSS)
    grown.clock.advance(400)
    mark = shown(rita.get(CELL).text)
    answer = send(rita, f"{CELL}/raise", scope="", shown=mark, reason="it is ready")
    assert answer.status_code == 403
    assert f"ladder console link {BOSS}" in answer.text
    assert stands(grown) is Rung.CONFIRM
    back = re.findall(r'name="next" value="([^"]+)"', answer.text)[-1].replace("&amp;", "&")
    link = sign_in_link(grown.ladder, BOSS, by=BOSS)
    came = rita.client.post("/signin", data={"link": link, "next": back}, headers={"origin": HOST})
    assert came.headers["location"] == back
    page = rita.get(back).text
    assert "it is ready" in page
    ran = len(grown.desk.ran)
    assert send(rita, f"{CELL}/raise", scope="", shown=shown(page), reason="it is ready").status_code == 303
    grown.call()
    assert len(grown.desk.ran) == ran + 1
    ((_, _, body),) = grown.ladder.reading.of_kind("ops", "promoted")
    assert (body["by"], body["auth"], body["reason"]) == (BOSS, "console", "it is ready")
    assert body["certificate"]["to"] == 3
    assert grown.ladder.recompute() == []


def test_other_evidence_than_was_shown_is_shown_anew(grown):
    """The certificate is bound to the form: one more run, and it is signed by nobody."""
    rita = named(grown).visitor(BOSS)
    page = rita.get(CELL).text
    token, mark = rita.token(page, f"{CELL}/raise"), shown(page)
    grown.approved()
    data = {"form": token, "scope": "", "shown": mark, "reason": "ready"}
    answer = rita.client.post(f"{CELL}/raise", data=data, headers={"origin": HOST})
    assert answer.status_code == 409
    assert "is not what it was when it was shown" in answer.text
    assert stands(grown) is Rung.CONFIRM


def test_nothing_is_raised_on_evidence_that_is_missing(grown):
    """Whoever sends the form once it can't be signed any more is told what is missing."""
    rita = named(grown).visitor(BOSS)
    page = rita.get(CELL).text
    last = grown.ladder.actions()[-1]
    grown.ladder.incident(last.key, "S2", by="ana", kind="wrong_order", text="the other order")
    data = {"form": rita.token(page, f"{CELL}/raise"), "scope": "", "shown": shown(page), "reason": ""}
    answer = rita.client.post(f"{CELL}/raise", data=data, headers={"origin": HOST})
    assert answer.status_code == 409
    assert "1 incident is open" in answer.text
    assert f'action="{CELL}/raise"' not in answer.text
    assert stands(grown) is Rung.CONFIRM


def test_what_one_may_not_see_is_not_there(world):
    """An agent of others answers like one that doesn't exist, and its matrix is empty."""
    world.day(1)
    eve = named(world).visitor("eve")
    assert eve.get(CELL).status_code == 404
    assert "refund" not in eve.get("/ladder").text
    assert named(world).visitor("ana").get("/ladder/ops/nothing").status_code == 404
    assert named(world).visitor("ana").get("/ladder/~zz/refund").status_code == 404


def test_without_the_label_no_action_is_shown_and_no_reason(world):
    """The rung is; what may quote what the tool touches isn't."""
    world.day(1)
    world.ladder.demote("refund", "draft", reason="the card of Dana Novak", by="bo")
    people = {**PEOPLE, "lee": Someone(console="reviewer", labels=["card"])}
    made = named(world, people, labels=("card",))
    page = made.visitor("ana").get(CELL).text
    assert "Dana" not in page
    assert "Its latest actions" not in page
    assert "withheld" in page
    page = made.visitor("lee").get(CELL).text
    assert "Dana" in page
    assert "Its latest actions" in page


@pytest.mark.parametrize(
    "name",
    ["ops/research", "..", ".", "~", "", "a b", "tool?x=1#y", "%2F", "ä\u202e<b>", "x" * 300, "../../etc/passwd"],
)
def test_any_name_is_one_segment(name):
    """Whatever it holds, it comes back whole, and leads nowhere else."""
    written = segment(name)
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", written)
    assert written.strip(".")
    assert name_of(written) == name


@pytest.mark.parametrize("tool", ["files/read", "..", '"><script>alert(1)</script>', "rm \u202e -rf", "a'b&c"])
def test_hostile_names_are_shown_inert_and_lead_to_their_page(console, tool):
    """In the matrix and on the page of the cell."""
    made = console(agent="ops", rungs={})
    made.ladder.seat(tool, NOTHING, agent="ops", can_ask=True)
    ana = made.visitor()
    page = ana.get("/ladder").text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    path = f"/ladder/ops/{segment(tool)}"
    assert f'href="{path}"' in page
    page = ana.get(path)
    assert page.status_code == 200
    assert f'action="{path}"' in page.text
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text


def test_each_scope_has_a_page_of_its_own():
    """And is lowered by itself."""
    scope = {"argument": "stage", "values": ["staging", "production"]}
    with contextlib.closing(World(scope=scope)) as world:
        world.stage = "staging"
        world.day(1)
        ana = named(world).visitor("ana")
        page = ana.get(f"{CELL}?scope=production").text
        assert "in production" in page
        data = {"form": ana.token(page, CELL), "scope": "production", "stands": "2", "to": "0", "reason": "no"}
        answer = ana.client.post(CELL, data=data, headers={"origin": HOST})
        assert answer.headers["location"] == f"{CELL}?scope=production"
        found = {cell.scope: cell.route.rung for cell in world.ladder.status()}
        assert found == {"staging": Rung.CONFIRM, "production": Rung.SUGGEST}
        assert ana.get(f"{CELL}?scope=nowhere").status_code == 404
