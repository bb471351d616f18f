"""AWS API clients that see the same credentials and endpoint as the Terraform that runs beside them."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fleetform.base.errors import ProgramError

_CHANGING = threading.RLock()


@dataclass(frozen=True)
class Access:
    """Where an environment's AWS API is and who asks.

    Attributes:
        region: AWS region.
        variables: The process environment that Terraform gets too.
        role: The role to take on, by ARN; None to ask as whom the variables say.
    """

    region: str
    variables: Mapping[str, str]
    role: str | None = None

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """A boto3 client, such as `ec2`.

        Raises:
            ProgramError: The role cannot be taken on.
        """
        from botocore.config import Config  # noqa: PLC0415 - a third of a second that most tasks need not pay

        # Cloud Map's DiscoverInstances would put `data-` before the endpoint's host.
        config = Config(inject_host_prefix="AWS_ENDPOINT_URL" not in self.variables)
        with _process_environment(self.variables):
            return self._session.client(service, config=config)

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401
        """One for all clients: each session reads the descriptions of AWS's endpoints anew, a tenth of a second."""
        import boto3  # noqa: PLC0415

        session = boto3.Session(region_name=self.region)
        if self.role is None:
            return session
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        # They hold for an hour: IAM user guide, "Methods to assume a role". No task of ours takes longer.
        try:
            found = session.client("sts").assume_role(RoleArn=self.role, RoleSessionName="fleetform")["Credentials"]
        except (BotoCoreError, ClientError) as error:
            raise ProgramError(f"{error}; may the credentials that are there take on {self.role}?") from None
        return boto3.Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], self.region)


@contextmanager
def _process_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """boto3 reads credentials and endpoints from the process alone, when a client is made.

    Clients may be made in several threads; others see no more changed meanwhile than has to be.
    """
    with _CHANGING:
        differing = {
            name: (os.environ.get(name), variables.get(name))
            for name in {*os.environ, *variables}
            if os.environ.get(name) != variables.get(name)
        }
        for name, (_, wanted) in differing.items():
            _set(name, wanted)
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
