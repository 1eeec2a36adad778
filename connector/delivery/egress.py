"""Which addresses the node may reach when somebody else names them (DECISIONS P8). Pure.

Two questions, asked one after the other: is this URL one we speak to at all (`check_url`), and is
the address its name resolved to, or its literal, a public one (`allowed`)? The second is asked of
every address and the connection is made to exactly these, so a name cannot answer twice.

The tables are written out, from the IANA special-purpose registries (RFC 6890 and successors):
`ipaddress.is_global` calls multicast, NAT64 of 127.0.0.1 and 6to4 of 127.0.0.1 global, and its
answers change with the version of Python.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Literal

from policies.problem import Problem

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL: Final = 2048
_MAX_HOST: Final = 253
_MAX_PORT: Final = 65535
_FIRST_FREE_PORT: Final = 1024
_DEFAULT_PORT: Final = {"https": 443, "http": 80}

_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT, and one cloud's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's platform address inside its machines
        "169.254.0.0/16",  # link-local: most clouds' metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: a tunnel to an IPv4 address of the sender's choice
        "3fff::/20",  # documentation
    )
)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)  # the middle of an interface id that tunnels IPv4

# Only what every URL parser reads alike: no user, no backslash, no fragment, no odd characters.
_URL: Final = re.compile(
    r"(https?)://"
    r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)"
    r"(?::([0-9]{1,5}))?"
    r"((?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?)"
    r"(\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.ASCII,
)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a checked URL leads: `address` is set when the host is a literal."""

    scheme: Literal["https", "http"]
    host: str
    port: int
    address: Address | None

    @property
    def peer(self) -> str:
        """`host:port`, all that problems and logs say about a URL."""
        return f"{self.host}:{self.port}"


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The operator's `[egress] private` list.

    Raises:
        Problem: `delivery-network-invalid`.
    """
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ip_network(text))
        except ValueError:
            raise Problem("delivery-network-invalid", network=text) from None
    return tuple(found)


def check_url(url: str, *, private: Sequence[Network] = (), dev: bool = False) -> Target:
    """The target of a URL that may be spoken to; a literal address is checked here as well.

    Args:
        url: an absolute URL that somebody named.
        private: networks that the operator allows although they are not public.
        dev: the node runs for development: http, but only to loopback.

    Raises:
        Problem: `delivery-url-invalid`, `delivery-scheme`, `delivery-port`,
            `delivery-address-refused`.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if match is None:
        raise Problem("delivery-url-invalid")
    scheme: Literal["https", "http"] = "https" if match[1] == "https" else "http"
    host = match[2].strip("[]")
    address = _literal(match[2]) if _is_literal(match[2]) else None
    if address is None and not _is_name(host):
        raise Problem("delivery-url-invalid")
    port = int(match[3] or _DEFAULT_PORT[scheme])
    if not (port == _DEFAULT_PORT[scheme] or _FIRST_FREE_PORT <= port <= _MAX_PORT):
        raise Problem("delivery-port", host=host, port=port)
    target = Target(scheme, host, port, address)
    if scheme == "http" and not (dev and is_loopback(target)):
        raise Problem("delivery-scheme", host=host)
    if address is not None and not allowed(address, private=private, loopback=dev):
        raise Problem("delivery-address-refused", host=host)
    return target


def is_loopback(target: Target) -> bool:
    """Whether a target names this machine: `localhost` or a loopback literal."""
    return target.host == "localhost" or (target.address is not None and target.address.is_loopback)


def allowed(
    address: Address | str, *, private: Sequence[Network] = (), loopback: bool = False
) -> bool:
    """Whether an address may be connected to.

    Args:
        address: an address, or its text as a resolver returns it.
        private: networks that the operator allows although they are not public.
        loopback: loopback addresses are expected (development, and the name was `localhost`).
    """
    if isinstance(address, str):
        try:
            address = ip_address(address)
        except ValueError:
            return False
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        if address in _MAPPED or address in _NAT64:
            # What counts is the IPv4 address that this one stands for.
            address = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in private):
        return True
    if address.is_loopback:
        return loopback
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return (
        address in _GLOBAL_6
        and not any(address in network for network in _NOT_PUBLIC_6)
        and (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP
    )


def _is_literal(host: str) -> bool:
    """Brackets, or a last label that is a number (WHATWG URL: such a host is an IPv4 address)."""
    return host.startswith("[") or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def _literal(host: str) -> Address:
    """An address in canonical text: resolvers also read `127.1`, `0177.0.0.1`, `2130706433`."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        raise Problem("delivery-url-invalid") from None
    if str(address) != host.strip("[]") or isinstance(address, IPv6Address) != host.startswith("["):
        raise Problem("delivery-url-invalid")
    return address


def _is_name(host: str) -> bool:
    return len(host) <= _MAX_HOST and all(map(_LABEL.fullmatch, host.split(".")))
