"""Bounds on scope: paths, URLs and addresses that only look as if they were inside."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Domain, Environment, Host, Tenant, Under, weigh
from ladder_graph.policy.scene import Scene


def call(value):
    """A call with one argument."""
    return Call("ops", "t1", "c1", "tool", {"x": value})


@pytest.fixture
def root(tmp_path):
    """A directory with links that stay inside it and links that lead out of it."""
    root = tmp_path / "conf"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "conf-other").mkdir()
    (tmp_path / "secret").write_text("s")
    (root / "in").symlink_to(root / "sub")
    (root / "out").symlink_to(tmp_path)
    (root / "file").symlink_to(tmp_path / "secret")
    (root / "loop").symlink_to(root / "loop")
    (tmp_path / "door").symlink_to(root)
    return root


# --- under -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["a", "sub/a", "sub/../a", "in/a", "missing/deep/a", "./a", "sub//a", "...", "a b", "é", ".hidden"]
)
def test_a_path_inside_is_inside(root, path):
    """Relative to the directory where the bound says so, and written out."""
    assert Under(argument="x", directory=str(root), relative_to="directory").check(call(path)) is None
    assert Under(argument="x", directory=str(root)).check(call(f"{root}/{path}")) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "sub/..",
        "..",
        "../secret",
        "sub/../../secret",
        "missing/../../secret",
        "out/secret",
        "out",
        "file",
        "in/../../secret",
        "out/conf-other/a",
        "../conf-other/a",
        "/etc/passwd",
        "//etc/passwd",
        "~",
        "~/a",
        "~root/a",
        " /etc/passwd",
        "a ",
        "a\n",
        "a\0b",
        "a\r",
        "..\\..\\secret",
        "a\\b",
        "C:\\a",
        "C:a",
        "file://localhost/etc/passwd",
        "file:a",
        "http://evil.example/a",
        "\ta",
        "a\N{RIGHT-TO-LEFT OVERRIDE}b",
        "\N{ZERO WIDTH SPACE}a",
    ],
)
def test_a_path_that_leads_out_is_outside(root, path):
    """`..`, links, other roots, home directories, drives, URLs, what a tool may strip, and the directory itself."""
    assert Under(argument="x", directory=str(root), relative_to="directory").check(call(path)) is not None


@pytest.mark.parametrize("odd", [None, 3, True, ["a"], {"a": "a"}, b"a", 2.0])
def test_what_is_no_text_is_no_path(root, odd):
    """A path is text."""
    assert Under(argument="x", directory=str(root), relative_to="directory").check(call(odd)) is not None


def test_a_relative_path_wants_a_word_about_what_it_means(root, tmp_path, monkeypatch):
    """Where the bound doesn't say it, the check and the tool could mean different files, so it asks."""
    monkeypatch.chdir(tmp_path)
    silent = Under(argument="x", directory=str(root)).check(call("a"))
    assert silent.text.endswith("; a relative one is clear only where the bound says relative_to")
    process = Under(argument="x", directory=str(root), relative_to="process")
    assert process.check(call("a")) is not None
    assert process.check(call("conf/a")) is None
    assert (
        Under(argument="x", directory=str(root)).check(call("/etc/passwd")).text.endswith(f"wants a path under {root}")
    )


def test_the_directory_may_be_a_link(root, tmp_path):
    """A bound on a link is a bound on where it leads."""
    door = Under(argument="x", directory=str(tmp_path / "door"))
    assert door.check(call(f"{tmp_path}/door/a")) is None
    assert door.check(call(f"{root}/a")) is None
    assert door.check(call(f"{tmp_path}/secret")) is not None


def test_odd_paths_do_no_harm(root):
    """Links in a circle and endless names end in an answer."""
    bound = Under(argument="x", directory=str(root), relative_to="directory")
    assert bound.check(call("loop/../../secret")) is not None
    assert bound.check(call("../" * 5000)) is not None
    assert bound.check(call("a" * 100_000 + "/../../secret")) is not None


# --- host ------------------------------------------------------------------------------------------------------------

HOST = Host(argument="x", hosts=["api.example.com", "localhost:8080", "[::1]"], schemes=["https", "http"])


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://api.example.com/",
        "https://API.Example.com/a?b=c@d#e",
        "https://api.example.com:443/",
        "http://api.example.com:80/a",
        "HTTPS://api.example.com/",
        "http://localhost:8080/a",
        "https://[::1]/a",
        "https://[::1]:443/",
        "https://api.example.com?x=https://evil.example",
        "https://api.example.com/@evil.example",
    ],
)
def test_a_url_of_an_allowed_host_is_inside(url):
    """In any case, with the scheme's own port, with any path and query."""
    assert HOST.check(call(url)) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "https://api.example.com.evil.example",
        "https://evilapi.example.com",
        "https://sub.api.example.com",
        "https://api.example.com@evil.example/",
        "https://user@api.example.com/",
        "https://user:pw@api.example.com/",
        "https://:@api.example.com/",
        "https://@api.example.com/",
        "https://evil.example#@api.example.com/",
        "https://evil.example?@api.example.com/",
        "https://evil.example\\@api.example.com/",
        "https://api.example.com\\@evil.example/",
        "https:\\\\api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com:80/",
        "http://api.example.com:443/",
        "https://api.example.com:/",
        "https://api.example.com:x/",
        "https://api.example.com:443:443/",
        "https://api.example.com:99999999/",
        "https://api.example.com:0443/",
        "https://api.example.com./",
        "https://api.example.com%2eevil.example/",
        "https://api%2eexample.com/",
        "https://api.example.com%00/",
        "https://localhost/",
        "https://localhost:8081/",
        "https://[::1%25eth0]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::1]:8080/",
        "https://::1/",
        "https://[::1/",
        "https://[::1]evil.example/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "ftp://api.example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "//api.example.com/",
        "api.example.com",
        "https:api.example.com",
        "https:/api.example.com",
        "https:///api.example.com",
        " https://api.example.com/",
        "https://api.example.com/ ",
        "https://api.example.com /",
        "https://api.example.com/\n",
        "ht\ntps://api.example.com/",
        "https://api.exam\tple.com/",
        "\0https://api.example.com/",
        "https://api\N{IDEOGRAPHIC FULL STOP}example.com/",
        "https://\N{CYRILLIC SMALL LETTER A}pi.example.com/",
        "https://api.example.com\N{FULLWIDTH SOLIDUS}.evil.example/",
        "https://api.example.com\N{CARE OF}evil.example/",
        "https://LOCALHOST\N{FULLWIDTH COLON}8080/",
        "https://localho\N{LATIN SMALL LETTER LONG S}t:8080/",
        "",
        "https://",
        None,
        3,
        True,
        ["https://api.example.com/"],
        {"url": "https://api.example.com/"},
        b"https://api.example.com/",
    ],
)
def test_a_url_that_only_looks_right_is_outside(url):
    """Users, ports, subdomains, other spellings of an address, odd characters, other schemes, and what is no URL."""
    assert HOST.check(call(url)) is not None


def test_a_host_without_a_scheme_named_is_https():
    """Plain http must be written into the policy."""
    bound = Host(argument="x", hosts=["API.example.com"])
    assert bound.hosts == ("api.example.com",)
    assert bound.check(call("https://api.example.com/")) is None
    assert "allows api.example.com over https" in bound.check(call("http://api.example.com/")).text


def test_a_written_default_port_is_the_same_host():
    """`host` and `host:443` are one place over https."""
    assert Host(argument="x", hosts=["a.example:443"]).check(call("https://a.example/")) is None
    assert Host(argument="x", hosts=["a.example:443"], schemes=["http"]).check(call("http://a.example/")) is not None


def test_a_kelvin_sign_is_no_k():
    """Python's lower case would make it one."""
    assert Host(argument="x", hosts=["kay.example"]).check(call("https://\N{KELVIN SIGN}ay.example/")) is not None
    assert Domain(argument="x", domains=["kay.example"]).check(call("ana@\N{KELVIN SIGN}ay.example")) is not None


# --- domain ----------------------------------------------------------------------------------------------------------

DOMAIN = Domain(argument="x", domains=["shop.example", "Mail.Shop.example"])


@pytest.mark.parametrize(
    "value",
    [
        "ana@shop.example",
        "ANA@Shop.Example",
        "a.n-a_1+tag@mail.shop.example",
        ["ana@shop.example"],
        ["a@shop.example"] * 50,
    ],
)
def test_an_address_in_the_domain_is_inside(value):
    """One address, or a list of them, in any case."""
    assert DOMAIN.check(call(value)) is None


@pytest.mark.parametrize(
    "odd",
    [
        "ana@evil.example",
        "ana@sub.shop.example",
        "ana@evilshop.example",
        "ana@shop.example.evil.example",
        "ana@shop.example.",
        "ana@shop.example ",
        " ana@shop.example",
        "ana@shop.example\n",
        "ana@shop.example\r\nBcc: eve@evil.example",
        "ana@shop.example,eve@evil.example",
        "ana@shop.example;eve@evil.example",
        "eve@evil.example@shop.example",
        "ana@evil.example@shop.example",
        "@shop.example",
        "ana@",
        "ana",
        "",
        "shop.example",
        '"eve@evil.example"@shop.example',
        '"ana"@shop.example',
        "Ana <ana@shop.example>",
        "<ana@shop.example>",
        "ana(comment)@shop.example",
        "eve%evil.example@shop.example",
        "evil.example!eve@shop.example",
        "@evil.example:ana@shop.example",
        "-oQ/tmp/x@shop.example",
        "|sh@shop.example",
        "`id`@shop.example",
        "$(id)@shop.example",
        "a..b@shop.example",
        ".a@shop.example",
        "a.@shop.example",
        "ana@[127.0.0.1]",
        "ana\0@shop.example",
        "ana\N{ZERO WIDTH SPACE}@shop.example",
        "\N{CYRILLIC SMALL LETTER A}na@shop.example",
        "ana@sh\N{CYRILLIC SMALL LETTER O}p.example",
        "ana\N{FULLWIDTH COMMERCIAL AT}shop.example",
        "ana@shop\N{FULLWIDTH FULL STOP}example",
        "a" * 65 + "@shop.example",
        "mailto:ana@shop.example",
        "ana@shop.example?cc=eve@evil.example",
        None,
        3,
        True,
        [],
        [[]],
        ["ana@shop.example", "eve@evil.example"],
        ["ana@shop.example", None],
        [["ana@shop.example"]],
        {"ana@shop.example": 1},
        b"ana@shop.example",
    ],
)
def test_an_address_that_only_looks_right_is_outside(odd):
    """Second addresses, display names, quotes, relay tricks, options, injected headers and look-alikes ask."""
    assert DOMAIN.check(call(odd)) is not None


def test_one_address_outside_is_enough():
    """A list is inside only as a whole."""
    assert (
        "allows addresses at shop.example, mail.shop.example"
        in DOMAIN.check(call(["a@shop.example", "b@x.example"])).text
    )


# --- environment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["staging", "Staging", " staging ", "STAGING", "test-2", "\N{FULLWIDTH LATIN SMALL LETTER S}taging"]
)
def test_a_listed_environment_is_inside(monkeypatch, name):
    """Whatever its letter case, width, and the spaces around it; from the call, or from the process."""
    assert Environment(argument="x", names=["staging", "Test-2"]).check(call(name)) is None
    monkeypatch.setenv("DEPLOY_ENV", name)
    assert Environment(variable="DEPLOY_ENV", names=["staging", "Test-2"]).check(call(None)) is None


@pytest.mark.parametrize(
    "name",
    ["prod", "production", "stag", "staging2", "staging,prod", "sta ging", "staging\N{ZERO WIDTH SPACE}", "", " ",
     "st\N{CYRILLIC SMALL LETTER A}ging"],
)  # fmt: skip
def test_another_environment_asks(monkeypatch, name):
    """Also where it only looks like one that is listed."""
    assert Environment(argument="x", names=["staging"]).check(call(name)) is not None
    monkeypatch.setenv("DEPLOY_ENV", name)
    assert Environment(variable="DEPLOY_ENV", names=["staging"]).check(call("staging")) is not None


@pytest.mark.parametrize("value", [None, True, 1, ["staging"], {"staging": True}])
def test_an_environment_is_text(value):
    """Nothing else names one."""
    assert Environment(argument="x", names=["staging", "1", "True"]).check(call(value)) is not None


def test_an_environment_that_nobody_says_asks(monkeypatch):
    """An argument that isn't there, and a variable that isn't set."""
    monkeypatch.delenv("DEPLOY_ENV", raising=False)
    assert Environment(argument="y", names=["a"]).check(call("a")).text == "y is missing, and the bound allows 'a'"
    unset = Environment(variable="DEPLOY_ENV", names=["a"]).check(call("a")).text
    assert unset == "the environment variable DEPLOY_ENV is missing, and the bound allows 'a'"


@pytest.mark.parametrize("fields", [{}, {"argument": "x", "variable": "Y"}])
def test_an_environment_comes_from_one_place(fields):
    """From the call or from the process, not from both or neither."""
    with pytest.raises(ValidationError):
        Environment(names=["a"], **fields)


# --- tenant ----------------------------------------------------------------------------------------------------------


def of_tenant(value, facts, **fields):
    """What the bound says of a value, in a run of which this is known; empty inside."""
    scene = Scene(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), facts=facts)
    breaches, charges = weigh([Tenant(argument="x", **fields)], call(value), scene)
    assert not charges
    return breaches[0].text if breaches else ""


@pytest.mark.parametrize(
    ("value", "facts", "fact"),
    [
        ("acme", {"tenant": "acme"}, "tenant"),
        (7, {"tenant": 7}, "tenant"),
        ("acme", {"organization": {"id": "acme"}}, "organization.id"),
    ],
)
def test_the_runs_own_tenant_is_inside(value, facts, fact):
    """By the key of the fact, or the way to it."""
    assert not of_tenant(value, facts, fact=fact)


@pytest.mark.parametrize("value", ["Acme", "acme ", "evil", "", None, ["acme"], {"id": "acme"}, 7, True])
def test_another_tenant_asks(value):
    """Letter for letter, and of the same type."""
    assert of_tenant(value, {"tenant": "acme"})


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("7", 7),
        (7, "7"),
        (1, True),
        (True, 1),
        (True, True),
        (1.0, 1),
        ("", ""),
        (" ", " "),
        (None, None),
        (["a"], ["a"]),
    ],
)
def test_a_fact_of_another_type_or_without_a_name_asks(value, known):
    """Whatever the call says."""
    assert of_tenant(value, {"tenant": known})


@pytest.mark.parametrize("facts", [{}, {"org": "acme"}, {"tenant": {"id": "acme"}}])
def test_a_tenant_that_nobody_knows_asks(facts):
    """A run of which nothing is known has none."""
    assert "so x can't be held to it" in of_tenant("acme", facts)
    assert "so x can't be held to it" in of_tenant("acme", facts, fact="tenant.id.more")


def test_a_tenant_that_the_call_leaves_out_asks():
    """Some tools take that for all of them."""
    scene = Scene(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), facts={"tenant": "acme"})
    breach = Tenant(argument="y").check(call("acme"), scene)
    assert breach.text == "y is missing, and the bound wants the tenant of this run, 'acme'"
