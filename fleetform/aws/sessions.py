"""Sessions of boto3, whose import takes a third of a second: only what asks AWS loads it."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fleetform.base.errors import ProgramError


class Session:
    """A session of an account.

    Args:
        region: AWS region.
        role: The role to assume, by ARN; None for none.

    Raises:
        ProgramError: The role cannot be assumed.
    """

    def __init__(self, region: str, role: str | None) -> None:
        session = boto3.Session(region_name=region)
        self._session = session if role is None else _assume_role(session, role)

    def client(self, service: str, *, host_prefix: bool) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client.

        Args:
            service: AWS's name of the API, such as `ec2`.
            host_prefix: Whether operations put their own prefix before the endpoint's host.
        """
        make: Any = self._session.client
        return make(service, config=Config(inject_host_prefix=host_prefix))


def _assume_role(session: boto3.Session, role: str) -> boto3.Session:
    """Return a session of a role.

    It is valid for an hour, and no task takes longer: IAM user guide, "Methods to assume a role".
    """
    try:
        keys = session.client("sts").assume_role(RoleArn=role, RoleSessionName="fleetform")["Credentials"]
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(f"{error}; check that your credentials may assume {role}") from None
    return boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], session.region_name
    )
