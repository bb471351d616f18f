"""An ECR registry, as far as its API tells of it."""

import base64
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.base.errors import InputError, ProgramError
from fleetform.base.program_name import command


@dataclass(frozen=True)
class Credentials:
    """What an engine logs in with.

    Attributes:
        user: The user's name.
        password: A token that ends after twelve hours.
        host: The registry.
    """

    user: str
    password: str
    host: str

    def __repr__(self) -> str:
        """Without the password, so that no traceback shows it."""
        return f"Credentials(user={self.user!r}, host={self.host!r})"


@dataclass(frozen=True)
class Registry:
    """The registry of an account in a region.

    Attributes:
        ecr: boto3's client of its API; one for all threads, as making one is for one thread alone.
        account: Its AWS account.
        environment: The environment whose foundation makes the repositories.
        front: Where images are pushed to if that is not ECR itself: `host:port` on loopback.
    """

    ecr: Any
    account: str
    environment: str
    front: str | None = None

    def credentials(self) -> Credentials:
        """What to log in with, and where.

        Raises:
            ProgramError: ECR does not answer, or the AWS credentials are another account's.
        """
        (data,) = self.ask("get_authorization_token")["authorizationData"]
        user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        host = data["proxyEndpoint"].removeprefix("https://")
        if not host.startswith(f"{self.account}."):
            raise ProgramError(f"the AWS credentials lead to the registry {host}, not to account {self.account}'s")
        return Credentials(user, password, self.front or host)

    def find(self, repository: str, tag: str) -> str | None:
        """The digest that a tag stands for; None if there is no such tag.

        Raises:
            InputError: There is no such repository.
            ProgramError: ECR does not answer.
        """
        answer = self.ask(
            "describe_images", registryId=self.account, repositoryName=repository, imageIds=[{"imageTag": tag}]
        )
        return answer["imageDetails"][0]["imageDigest"] if answer else None

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3 has them
        """What ECR answers; nothing if there is no such image.

        Raises:
            InputError: There is no such repository.
            ProgramError: ECR does not answer.
        """
        try:
            answer: dict[str, Any] = getattr(self.ecr, operation)(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ImageNotFoundException":
                return {}
            if code == "RepositoryNotFoundException":
                apply = f"`{command('apply', env=self.environment)}`"
                message = f"no repository `{arguments['repositoryName']}` in ECR: the foundation makes it"
                raise InputError(f"{message}; run {apply} or `{command('deploy', env=self.environment)}`") from None
            raise ProgramError(f"{error}; may these credentials use ECR?") from None
        except BotoCoreError as error:
            raise ProgramError(f"{error}; are the AWS credentials there, and right?") from None
        return answer
