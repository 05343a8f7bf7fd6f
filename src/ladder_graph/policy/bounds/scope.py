"""Bounds on the scope of a call: which part of the world it may touch."""

from __future__ import annotations

import os
import re
import stat
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import model_validator

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import MISSING, ArgumentBound, Breach, follow, look_up, shorten, spelt
from ladder_graph.policy.fields import Argument, Name, Netloc, Place, Scheme, Some, Strict, placed
from ladder_graph.policy.fields import Domain as DomainName
from ladder_graph.policy.scene import Scene

_PORTS = {"https": ":443", "wss": ":443", "http": ":80", "ws": ":80", "ftp": ":21"}
"""The port that goes without saying, by scheme."""
_LOOKS_LIKE_A_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NOT_PLAIN = frozenset({"", ".", ".."})
# Stricter than the mail standards: no quotes, no %, no !, which some relays take for another destination, and no
# leading -, which some mailers take for an option.
_LONGEST_NAME, _LONGEST_ADDRESS = 64, 254
_MAILBOX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+-]*(?:\.[A-Za-z0-9_+-]+)*")


class Under(ArgumentBound):
    """The argument must be a path inside a directory, after `..` and symbolic links are followed.

    The directory itself is outside. The links are followed at the moment of the check: where somebody else may
    change links inside the directory, this bound doesn't hold.
    """

    kind: Literal["under"] = "under"
    directory: Place
    """The directory. A relative one is taken from the policy file's directory, or from Python from the working one."""
    relative_to: Literal["directory", "process"] | None = None
    """What the tool itself takes relative paths from: this directory, or the working directory of the process.
    Where it isn't said, a relative path is outside, since the check and the tool might mean different files."""

    def anchored(self, folder: Path) -> Self:
        """This bound with its directory taken from a folder."""
        return self.model_copy(update={"directory": placed(self.directory, folder)})

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
        value = self.value(call)
        if isinstance(value, str) and self._plain(value) and self._inside(value):
            return None
        unclear = self.relative_to is None and isinstance(value, str) and not _absolute(value)
        hint = "; a relative one is clear only where the bound says relative_to" if unclear else ""
        return self.breach(self.kind, value, f"wants a path under {self.directory}{hint}")

    def _plain(self, value: str) -> bool:
        """Whether every tool reads the path alike: nothing to strip, to expand, or to take for a URL or a drive."""
        odd = not value.isprintable() or value != value.strip() or value.startswith("~")
        slashed = os.sep == "/" and "\\" in value
        if not value or odd or slashed:
            return False
        return _absolute(value) or (self.relative_to is not None and not _LOOKS_LIKE_A_URL.match(value))

    def _inside(self, value: str) -> bool:
        asked = os.path.join(self.directory, value) if self.relative_to == "directory" else value  # noqa: PTH118  # quicker
        try:
            if self._straight(asked):
                return True
            path = os.path.realpath(asked)
            # What a real path begins with is real, so the directory itself seldom has to be followed.
            return _below(path, self.directory) or _below(path, os.path.realpath(self.directory))
        except (OSError, ValueError):
            return False

    def _straight(self, asked: str) -> bool:
        """Whether the path leads on from the directory by plain names, of which none is a link.

        Then it is inside, whatever the directory itself leads to. Any other path is followed as a whole, which takes
        several times as long.
        """
        here = self._above
        if not here or not asked.startswith(here):
            return False
        names = asked[len(here) :].split("/")
        if not _NOT_PLAIN.isdisjoint(names):
            return False
        for name in names:
            here += name
            try:
                if stat.S_ISLNK(os.lstat(here).st_mode):
                    return False
            except FileNotFoundError:
                return True  # Below what isn't there, there is no link.
            here += "/"
        return True

    @cached_property
    def _above(self) -> str:
        """What a path inside begins with; empty where the directory goes up, or the system has other separators."""
        plain = os.sep == "/" and ".." not in self.directory.split("/")
        return self.directory.rstrip("/") + "/" if plain else ""


def _absolute(path: str) -> bool:
    """As `Path.is_absolute`, and several times as quick."""
    return os.path.isabs(path) and (os.sep == "/" or bool(os.path.splitdrive(path)[0]))  # noqa: PTH117  # quicker


def _below(path: str, directory: str) -> bool:
    """Whether a real path lies below a directory, as it is written."""
    return path != directory and path.startswith(directory if directory.endswith(os.sep) else directory + os.sep)


class Host(ArgumentBound):
    """The argument must be a URL whose host is one of these.

    Where that host sends the tool on to, by a redirect, is the tool's affair: no bound sees it.
    """

    kind: Literal["host"] = "host"
    hosts: Some[Netloc]
    """Host names, compared whole and in lower case; a subdomain is another host, and another port than the
    scheme's own must be written, as in `localhost:8080`."""
    schemes: Some[Scheme] = ("https",)
    """Allowed schemes."""

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not. Credentials in the URL are outside any bound."""
        value = self.value(call)
        if isinstance(value, str) and value.isprintable() and " " not in value and "\\" not in value:
            try:
                url = urlsplit(value)
            except ValueError:
                url = urlsplit("")
            # The whole authority is compared, so that there is no room for a user, a port or an odd spelling.
            if url.scheme in self.schemes and url.netloc.isascii() and url.netloc.lower() in self._allowed(url.scheme):
                return None
        return self.breach(self.kind, value, f"allows {', '.join(self.hosts)} over {', '.join(self.schemes)}")

    def _allowed(self, scheme: str) -> set[str]:
        port = _PORTS.get(scheme, "")
        return {*self.hosts, *(host + port for host in self.hosts), *(host.removesuffix(port) for host in self.hosts)}


class Domain(ArgumentBound):
    """The argument must be an e-mail address, or a list of them, in one of these domains.

    An address is bare, as in `ana@example.com`: one with a display name, a quoted one, or several in one text are
    outside. Other arguments that hold addresses, such as `cc`, want a bound of their own.
    """

    kind: Literal["domain"] = "domain"
    domains: Some[DomainName]
    """Mail domains, compared whole and in lower case."""

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not. One address outside is enough."""
        value = self.value(call)
        addresses = value if isinstance(value, list) else [value]
        if addresses and all(map(self._inside, addresses)):
            return None
        return self.breach(self.kind, value, f"allows addresses at {', '.join(self.domains)}")

    def _inside(self, address: object) -> bool:
        if not isinstance(address, str) or not address.isascii() or len(address) > _LONGEST_ADDRESS:
            return False
        name, _, domain = address.partition("@")
        return len(name) <= _LONGEST_NAME and _MAILBOX.fullmatch(name) is not None and domain.lower() in self.domains


class Environment(Strict):
    """The tool must act in one of these environments, as the call says, or the process that runs it.

    Letter case, width and spaces around a name make no other environment. A short name is one of its own: `prod` isn't
    `production`.

    Example:
        >>> bound = Environment(argument="env", names=["staging"])
        >>> bound.check(Call("ops", "t1", "c1", "deploy", {"env": "prod"})).text
        "env is 'prod', and the bound allows 'staging'"
    """

    kind: Literal["environment"] = "environment"
    names: Some[Name]
    """The environments."""
    argument: Argument | None = None
    """The argument that says where the tool acts."""
    variable: Name | None = None
    """Or the environment variable that says it, of the process in which the call is routed; unset, the bound asks."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.argument is None) == (self.variable is None):
            raise ValueError(
                'say where the tool acts: either argument = "env" or variable = "DEPLOY_ENV", and not both'
            )
        return self

    def check(self, call: Call) -> Breach | None:
        """None inside the bound, else why not."""
        if self.argument is not None:
            source, value = self.argument, look_up(call, self.argument)
        else:
            source = f"the environment variable {self.variable}"
            value = os.environ.get(self.variable or "", MISSING)
        spelling = spelt(value) if isinstance(value, str) else None
        if spelling is not None and spelling in {spelt(name) for name in self.names}:
            return None
        found = "missing" if value is MISSING else shorten(value)
        return Breach(self.kind, f"{source} is {found}, and the bound allows {', '.join(map(repr, self.names))}")


class Tenant(ArgumentBound):
    """The argument must be the run's own tenant, as the server knows it, or the embedding program says.

    Example:
        >>> import datetime as dt
        >>> scene = Scene(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), facts={"tenant": "acme"})
        >>> bound = Tenant(argument="org_id")
        >>> bound.check(Call("ops", "t1", "c1", "export", {"org_id": "acme"}), scene) is None
        True
        >>> bound.check(Call("ops", "t1", "c1", "export", {"org_id": "Acme"}), scene).text
        "org_id is 'Acme', and the bound wants the tenant of this run, 'acme'"
    """

    kind: Literal["tenant"] = "tenant"
    fact: Argument = "tenant"
    """What is known of the run, by its key; dots lead into nested ones, as in `organization.id`."""

    def check(self, call: Call, scene: Scene) -> Breach | None:
        """None inside the bound, else why not. Values are compared with their types, and letter for letter."""
        value, own = self.value(call), follow(scene.facts, self.fact)
        if not _names_somebody(own):
            found = "nothing is known" if own is MISSING else f"{shorten(own)} is known, which names nobody,"
            return Breach(self.kind, f"{found} as the {self.fact} of this run, so {self.argument} can't be held to it")
        if type(value) is type(own) and value == own:
            return None
        return self.breach(self.kind, value, f"wants the {self.fact} of this run, {shorten(own)}")


def _names_somebody(fact: Any) -> bool:
    """Whether a fact is text that holds something, or a whole number."""
    return bool(fact.strip()) if isinstance(fact, str) else isinstance(fact, int) and not isinstance(fact, bool)
