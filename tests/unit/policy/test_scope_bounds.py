"""Bounds on hosts and mail domains: URLs and addresses that only look as if they were inside."""

from __future__ import annotations

import pytest

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Domain, Host


def call(value):
    """A call with one argument."""
    return Call("ops", "t1", "c1", "tool", {"x": value})


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
