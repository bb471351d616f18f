"""Checks that the AWS credentials belong to the catalog's account before anything is read."""

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.base.errors import CheckFailedError, ProgramError
from fleetform.terraform.failures import translate_failures
from fleetform.validation.loading import read_environment
from fleetform.workflow.workspace import Workspace


def require_account(workspace: Workspace) -> None:
    """Require credentials for the catalog's account, and no other region in the process environment.

    Raises:
        CheckFailedError: The account or the region is a different one.
        ProgramError: AWS does not report the account of the credentials.
    """
    environment = workspace.environment
    region = workspace.variables.get("AWS_REGION") or workspace.variables.get("AWS_DEFAULT_REGION")
    if region and region != environment.region:
        raise CheckFailedError(
            f"{environment.name} is in {environment.region} ({_place(workspace, 'region')}), but the process"
            f" environment has {region}; unset AWS_REGION and AWS_DEFAULT_REGION, or fix `region`"
        )
    account, arn = _identity(workspace)
    if account != environment.account:
        raise CheckFailedError(
            f"{environment.name} is in account {environment.account} ({_place(workspace, 'account')}), but"
            " the AWS"
            f" credentials are for {account} ({arn}); choose others with AWS_PROFILE, or fix `account`"
        )


def _identity(workspace: Workspace) -> tuple[str, str]:
    """Return the account and the ARN of the credentials."""
    with translate_failures(workspace.environment.name):
        try:
            caller = workspace.access.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise ProgramError(f"cannot look up the account of the AWS credentials: {error}") from None
    return caller["Account"], caller["Arn"]


def _place(workspace: Workspace, key: str) -> str:
    """Return the position of a key in the catalog, or that its value is a default."""
    node = read_environment(workspace.folder.parents[1], workspace.environment.name).tree.at((key,))
    return str(node.position) if node else "the catalog's default"
