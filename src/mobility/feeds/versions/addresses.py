"""Which addresses a feed may be fetched from: the open internet, nothing inside.

A manifest's url must not make this machine talk to itself, to its neighbours or to a cloud's
metadata service. Names are resolved once, every address is judged, and the connection goes to an
address that was judged, so that a name cannot change its mind in between.

Source: OWASP API Security Top 10 (2023), API7 server side request forgery; IANA special-purpose
address registries (RFC 6890).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator

from mobility.core.errors import EnvironmentFault, FeedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

# Refused even where private addresses are allowed: metadata services of clouds.
METADATA = frozenset(
    ipaddress.ip_address(one)
    for one in (
        "169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    )
)  # fmt: skip
# Not of the open internet, whatever the Python in use says of them.
SPECIAL = tuple(
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "2001:db8::/32",
        "2001::/23", "3fff::/20", "5f00::/16",
    )
)  # fmt: skip
GLOBAL_V6 = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the order in which they are to be tried.

    Raises
    ------
    EnvironmentFault
        The name has none now.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise EnvironmentFault(f"{host} cannot be resolved: {error}") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_addresses(host: str, addresses: list[str], *, private: bool = False) -> None:
    """Refuse a host of which any address lies where no feed has its place.

    Raises
    ------
    FeedError
        Names the address.
    """
    for one in addresses:
        if not is_allowed(one, private=private):
            raise FeedError(
                f"{host} is at {one}, an address that is not of the open internet; refused"
            )


def is_allowed(address: str, *, private: bool = False) -> bool:
    """Return whether a feed may be fetched from an address.

    Parameters
    ----------
    private : bool
        Also from private and loopback addresses; never from link-local, multicast, unspecified or
        metadata addresses.

    >>> is_allowed("93.184.215.14"), is_allowed("10.0.0.7"), is_allowed("::ffff:127.0.0.1")
    (True, False, False)
    >>> is_allowed("10.0.0.7", private=True), is_allowed("169.254.169.254", private=True)
    (True, False)
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_allowed(one, private) for one in _meant(parsed))


def _meant(address: Address) -> Iterator[Address]:
    """Yield an address and those of the older protocol that are written inside it."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    if address in NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    yield from address.teredo or ()


def _allowed(address: Address, private: bool) -> bool:
    if address in METADATA or address.is_multicast or address.is_unspecified:
        return False
    if address.is_link_local:
        return False
    if private and (address.is_private or address.is_loopback):
        return True
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_V6:
        return False
    special = any(address in network for network in SPECIAL if network.version == address.version)
    return address.is_global and not special
