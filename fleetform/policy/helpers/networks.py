"""Classification of networks by how much of the internet they contain."""

import ipaddress
from typing import TypeAlias

from fleetform.hcl.eval.values import Value

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# The largest allocations to one organization: /8 from IANA, and about /16 for IPv6.
_SHORTEST = {4: 8, 6: 16}
# One site, for IPv6 by https://www.rfc-editor.org/rfc/rfc6177. Larger networks have several owners.
_SITE = {4: 24, 6: 48}
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            *(
                "10.0.0.0/8",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "100.64.0.0/10",
                "169.254.0.0/16",
                "127.0.0.0/8",
            ),
            *("fc00::/7", "fe80::/10", "::1/128"),
        ),
    )
)


def is_internet(cidr: Value) -> bool:
    """Return whether a CIDR is the internet, or a half or a quarter of it."""
    network = _network(cidr)
    return network is not None and network.prefixlen < _SHORTEST[network.version] and not _is_private(network)


def is_large_public(cidr: Value) -> bool:
    """Return whether a CIDR contains public addresses of more than one site."""
    network = _network(cidr)
    return network is not None and network.prefixlen < _SITE[network.version] and not _is_private(network)


def _network(cidr: Value) -> _Network | None:
    try:
        return ipaddress.ip_network(cidr, strict=False) if isinstance(cidr, str) else None
    except ValueError:
        return None


def _is_private(network: _Network) -> bool:
    return any(network.version == other.version and network.subnet_of(other) for other in _PRIVATE)  # type: ignore[arg-type]
