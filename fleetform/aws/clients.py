"""AWS API clients that see the same credentials and endpoint as the Terraform that runs beside them."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fleetform.aws.sessions import Session

_CHANGING = threading.RLock()


@dataclass(frozen=True)
class Access:
    """An environment's AWS API: its region, endpoint and credentials.

    Attributes:
        region: AWS region.
        variables: The process environment that Terraform gets too.
        role: The role to assume, by ARN; None for the credentials of the variables.
    """

    region: str
    variables: Mapping[str, str]
    role: str | None = None

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """A boto3 client, such as `ec2`.

        Raises:
            ProgramError: The role cannot be taken on.
        """
        with _process_environment(self.variables):
            # Cloud Map's DiscoverInstances would put `data-` before the endpoint's host.
            return self._session.client(service, host_prefix="AWS_ENDPOINT_URL" not in self.variables)

    @cached_property
    def _session(self) -> "Session":
        """One for all clients.

        Each session reads the descriptions of AWS's endpoints again, a tenth of a second.
        """
        from fleetform.aws.sessions import Session  # noqa: PLC0415 - boto3 takes a third of a second

        return Session(self.region, self.role)


@contextmanager
def _process_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set the process environment while a client is created.

    Boto3 reads credentials and endpoints only from there.

    Clients may be created in several threads; only what differs is changed meanwhile.
    """
    with _CHANGING:
        differing = {
            name: (os.environ.get(name), variables.get(name))
            for name in {*os.environ, *variables}
            if os.environ.get(name) != variables.get(name)
        }
        for name, (_, value) in differing.items():
            _set(name, value)
        try:
            yield
        finally:
            for name, (saved, _) in differing.items():
                _set(name, saved)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
