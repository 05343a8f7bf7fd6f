"""Signing in, as a browser does it: by link, by keyboard, without a script, and from elsewhere."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.browser.scripts import WAYS


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_link_signs_in_and_is_used_up(site, way):
    """Looking at it signs nobody in, the button does, and the next one who has it stays outside."""
    ana, link = site.stranger(**way), site.link("ana")
    assert ana.go(link) == 200
    ana.title("Sign in as ana?")
    ana.press("Sign in as ana")
    ana.title("What waits for people")
    ana.sees("ana, reviewer")
    assert ana.path == "/"
    thief = site.stranger(**way)
    assert thief.go(link) == 404
    thief.sees("This link isn't good")
    assert not ana.wrong


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_whoever_comes_to_a_page_goes_on_to_it(site, way):
    """They paste their link where they are asked for it, and come to what they wanted, with what they searched for."""
    ana = site.stranger(**way)
    ana.go("/?of=everything")
    ana.title("Sign in to ops")
    ana.fill("The link, or its last part", "nonsense")
    ana.press("Sign in")
    ana.sees("This link isn't good")
    ana.go("/?of=everything")
    ana.fill("The link, or its last part", f"{site.at}{site.link('ana')}")
    ana.press("Sign in")
    assert ana.path == "/?of=everything"


def test_the_keyboard_is_enough(site):
    """Nothing has the focus at first; Tab leads to the button, and out again."""
    ana = site.stranger()
    ana.go(site.link("ana"))
    assert ana.focused() == ""
    ana.tab_to("Sign in as ana")
    ana.enter()
    ana.title("What waits for people")
    ana.tab_to("Sign out")
    ana.page.keyboard.press("Space")
    ana.title("Sign in to ops")
    ana.go("/")
    ana.title("Sign in to ops")


def test_the_first_tab_skips_to_the_page(site):
    """Whoever goes by keyboard needn't go through the menu on each page."""
    ana = site.person()
    ana.page.keyboard.press("Tab")
    assert "Skip to the page" in ana.focused()
    ana.enter()
    assert ana.path.endswith("#main")


def test_no_script_reads_the_cookie(site):
    """Whatever found its way into a page would not get at the visit."""
    ana = site.person()
    assert "ladder_visit" not in ana.page.evaluate("document.cookie")
    assert any(one["name"] == "ladder_visit" for one in ana.page.context.cookies())


def test_what_a_page_is_made_to_run_does_not_run(site):
    """No inline script and no attribute acts, and nothing is loaded from elsewhere."""
    ana = site.person()
    ana.page.evaluate("""() => {
        document.querySelector('main').innerHTML =
            '<img src=x onerror="window.acted = 1"><a href="javascript:acted=1">a</a>';
        const script = document.createElement('script');
        script.textContent = 'window.acted = 1';
        document.body.append(script);
    }""")
    ana.page.get_by_text("a", exact=True).click()
    assert ana.page.evaluate("window.acted") is None
    assert any("Content Security Policy" in one for one in ana.wrong)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_dark_and_light(site, way):
    """The switch keeps to the page, and stays for the next ones."""
    ana = site.person(color_scheme="light", **way)
    ana.go("/?of=everything")
    before = background(ana)
    ana.press("Dark", within=".who")
    assert ana.path == "/?of=everything"
    assert background(ana) != before
    ana.go("/")
    assert background(ana) != before
    ana.press("Light", within=".who")
    assert background(ana) == before


def background(person):
    """The colour behind the page."""
    return person.page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")


def test_two_people_are_two_people(site):
    """Each window is its own person, and sending one away leaves the other."""
    ana, bo = site.person("ana"), site.person("bo")
    ana.sees("ana, reviewer")
    bo.sees("bo, reviewer")
    ana.press("Sign out", within=".who")
    bo.go("/")
    bo.sees("bo, reviewer")


@pytest.fixture
def elsewhere(site):
    """The address of another site, whose page sends forms to the console, frames it, and links to it."""
    page = f"""<!doctype html><title>elsewhere</title>
        <form method="post" action="{site.at}/signout"><button>send</button></form>
        <a href="{site.at}/?of=everything">go</a>
        <iframe src="{site.at}/" title="framed"></iframe>""".encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_another_site_sends_no_form(site, elsewhere, way):
    """Its form does nothing, although the browser that sends it is signed in."""
    ana = site.person(**way)
    ana.page.goto(elsewhere)
    ana.page.get_by_role("button", name="send").click()
    ana.sees("nothing was done")
    ana.go("/")
    ana.sees("ana, reviewer")


def test_another_site_shows_no_page_of_ours(site, elsewhere):
    """In its frame there is nothing to click on."""
    ana = site.person()
    ana.page.goto(elsewhere)
    framed = next(frame for frame in ana.page.frames if frame.parent_frame)
    assert "127.0.0.1" not in framed.url
    assert framed.get_by_text("What waits").count() == framed.get_by_text("Sign in").count() == 0


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_link_on_another_site_leads_to_the_page(site, elsewhere, way):
    """As from a chat or a mail: whoever is signed in sees the page, though the cookie didn't come along."""
    ana = site.person(**way)
    ana.page.goto(elsewhere)
    ana.page.get_by_role("link", name="go").click()
    ana.title("What waits for people")
    assert ana.path == "/?of=everything"
    stranger = site.stranger(**way)
    stranger.page.goto(elsewhere)
    stranger.page.get_by_role("link", name="go").click()
    stranger.title("Sign in to ops")
