"""An ECR registry and its API."""

import base64
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.base.errors import InputError, ProgramError
from fleetform.base.program_name import command


@dataclass(frozen=True)
class Credentials:
    """The login to a registry.

    Attributes:
        user: The user's name.
        password: A token that expires after twelve hours.
        host: The registry's host.
    """

    user: str
    password: str
    host: str

    def __repr__(self) -> str:
        """Omit the password, so that no traceback shows it."""
        return f"Credentials(user={self.user!r}, host={self.host!r})"


@dataclass(frozen=True)
class Registry:
    """The registry of an AWS account in a region.

    Attributes:
        ecr: The boto3 client, shared by all threads: clients are thread-safe, but creating one is not.
        account: The AWS account.
        environment: The environment whose foundation creates the repositories.
        push_host: The host to push to, if it is not ECR: `host:port` on loopback.
    """

    ecr: Any
    account: str
    environment: str
    push_host: str | None = None

    def credentials(self) -> Credentials:
        """Return the login for this registry.

        Raises:
            ProgramError: The request to ECR fails, or the AWS credentials belong to a different account.
        """
        (data,) = self.call("get_authorization_token")["authorizationData"]
        user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        host = data["proxyEndpoint"].removeprefix("https://")
        if not host.startswith(f"{self.account}."):
            raise ProgramError(
                f"the AWS credentials are for the registry {host}; use credentials of account {self.account}"
            )
        return Credentials(user, password, self.push_host or host)

    def find(self, repository: str, tag: str) -> str | None:
        """Return the digest of a tag; None if the tag does not exist.

        Raises:
            InputError: The repository does not exist.
            ProgramError: The request to ECR fails.
        """
        answer = self.call(
            "describe_images",
            registryId=self.account,
            repositoryName=repository,
            imageIds=[{"imageTag": tag}],
        )
        return answer["imageDetails"][0]["imageDigest"] if answer else None

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3 has them
        """Call an operation of ECR's API; return its answer, which is empty if the image does not exist.

        Raises:
            InputError: The repository does not exist.
            ProgramError: The request to ECR fails.
        """
        try:
            answer: dict[str, Any] = getattr(self.ecr, operation)(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ImageNotFoundException":
                return {}
            if code == "RepositoryNotFoundException":
                apply = f"`{command('apply', env=self.environment)}`"
                message = (
                    f"ECR has no repository `{arguments['repositoryName']}`, which the foundation creates"
                )
                raise InputError(
                    f"{message}; run {apply} or `{command('deploy', env=self.environment)}`"
                ) from None
            raise ProgramError(f"{error}; check that these credentials may use ECR") from None
        except BotoCoreError as error:
            raise ProgramError(f"{error}; check the AWS credentials") from None
        return answer
