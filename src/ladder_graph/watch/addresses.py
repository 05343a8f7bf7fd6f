"""Which addresses a health check may dial: what stands in the policy, or is public, and nothing a name server adds.

A name is resolved once and every address of it is looked at. That the addresses behind a name are internal is no
intent of whoever wrote the policy, so it must say so in `allow`; an internal address that stands in the URL is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
_LOOPBACK = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))
_INTERNAL = (
    *_LOOPBACK,
    *map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")),
)
"""What a name or an address may be allowed to be. Link-local ones, as a cloud's metadata service, must be listed."""
_UNICAST = ip_network("2000::/3")
"""IPv6 addresses of the internet; outside it are mapped, translated (64:ff9b::/96) and site-local ones."""
_TUNNELS = tuple(map(ip_network, ("2002::/16", "192.88.99.0/24", "3fff::/20")))
"""6to4 and its relays, which lead to any IPv4 address, and documentation; `is_global` takes them for public."""


def refusal(host: str, addresses: Sequence[str], allow: Sequence[str]) -> str | None:
    """Why a host isn't dialled, or None where every one of its addresses may be.

    Args:
        host: The host of the URL: a name, or an address without brackets.
        addresses: Every address that it was resolved to.
        allow: The policy's networks and names.

    Example:
        >>> refusal("10.0.0.7", ["10.0.0.7"], ()), refusal("db.example", ["10.0.0.7"], ["10.0.0.0/8"])
        (None, None)
        >>> refusal("db.example", ["93.184.216.34", "10.0.0.7"], ())
        'db.example leads to 10.0.0.7, which is not public; if that is meant, name it in allow'
    """
    networks, names = _parted(allow)
    for text in addresses:
        address = ip_address(text)
        if any(address in network for network in networks) or _public(address):
            continue
        if not _meant(host, address, names):
            return f"{host} leads to {text}, which is not public; if that is meant, name it in allow"
    return None if addresses else f"{host} has no address"


def _parted(allow: Sequence[str]) -> tuple[list[IPv4Network | IPv6Network], set[str]]:
    networks, names = [], set()
    for target in allow:
        try:
            networks.append(ip_network(target))
        except ValueError:
            names.add(target)
    return networks, names


def _meant(host: str, address: Address, names: set[str]) -> bool:
    """Whether the policy itself says this internal address, or names the host as internal."""
    if host == "localhost":  # RFC 6761, section 6.3: it is always loopback
        return _in(address, _LOOPBACK)
    try:
        named = ip_address(host) == address
    except ValueError:
        named = host in names
    return named and _in(address, _INTERNAL)


def _public(address: Address) -> bool:
    if address.is_multicast or not address.is_global or _in(address, _TUNNELS):
        return False
    return address.version == 4 or address in _UNICAST  # noqa: PLR2004  # the two versions of IP


def _in(address: Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)
