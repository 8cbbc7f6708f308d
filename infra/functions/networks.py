"""The networks that recordings may be played from (pure)."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = "IPv4Address | IPv6Address"
Network: TypeAlias = "IPv4Network | IPv6Network"


def parse(text: str) -> tuple[Network, ...]:
    """Networks such as `203.0.113.0/24, 2001:db8::/48`; a single address is one too. ValueError for anything else."""
    return tuple(ip_network(part.strip()) for part in text.split(","))


def address(source: str) -> Address | None:
    """An address in its one form: IPv4 written as IPv6 is IPv4; None when it is none."""
    try:
        found = ip_address(source)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def admits(networks: Collection[Network], source: Address | None) -> bool:
    """Whether one may play from there: from everywhere when no network is named, never from an unknown place then."""
    return not networks or (source is not None and any(source in network for network in networks))
