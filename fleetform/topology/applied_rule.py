"""A security group rule as AWS or a plan has it."""

from dataclasses import dataclass

ALL_PROTOCOLS = "-1"


@dataclass(frozen=True)
class AppliedRule:
    """A security group rule that exists or is planned.

    Attributes:
        direction: `ingress` or `egress`.
        group: Key of the group that it belongs to.
        protocol: `tcp`, `udp`, `icmp` or a number; `-1` for all.
        first: The first port, None or -1 for all.
        last: The last port.
        peer: Key of the group on the other side, its id if it is in another VPC, or None.
        cidr: The network on the other side, or None.
        prefix_list: The AWS service on the other side, such as `s3`, or a prefix list's id, or None.
    """

    direction: str
    group: str
    protocol: str
    first: int | None = None
    last: int | None = None
    peer: str | None = None
    cidr: str | None = None
    prefix_list: str | None = None

    def covers(self, port: int, protocol: str = "tcp") -> bool:
        """Return whether the rule applies to a port."""
        if self.protocol == ALL_PROTOCOLS:
            return True
        return self.protocol == protocol and self.first is not None and self.first <= port <= (self.last or 0)
