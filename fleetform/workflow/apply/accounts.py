"""Whose AWS account we are in, before anything there is read or changed."""

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.base.errors import CheckFailedError, ProgramError
from fleetform.terraform.failures import translate_failures
from fleetform.validation.loading import read_environment
from fleetform.workflow.workspace import Workspace


def require_account(workspace: Workspace) -> None:
    """Makes sure that the credentials are of the catalog's account, and that nobody means another region.

    Raises:
        CheckFailedError: They are not, or somebody does.
        ProgramError: AWS does not say who we are.
    """
    environment = workspace.environment
    meant = workspace.variables.get("AWS_REGION") or workspace.variables.get("AWS_DEFAULT_REGION")
    if meant and meant != environment.region:
        raise CheckFailedError(
            f"{environment.name} is in {environment.region} ({_place(workspace, 'region')}), and the process"
            f" environment says {meant}; unset AWS_REGION and AWS_DEFAULT_REGION, or mend `region`"
        )
    account, arn = _identity(workspace)
    if account != environment.account:
        raise CheckFailedError(
            f"{environment.name} is in account {environment.account} ({_place(workspace, 'account')}), and the AWS"
            f" credentials are of {account} ({arn}); choose others with AWS_PROFILE, or mend `account`"
        )


def _identity(workspace: Workspace) -> tuple[str, str]:
    """The account and the ARN of whom AWS takes us for."""
    with translate_failures(workspace.environment.name):
        try:
            found = workspace.access.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise ProgramError(f"AWS does not say who we are: {error}") from None
    return found["Account"], found["Arn"]


def _place(workspace: Workspace, key: str) -> str:
    """Where the catalog says it; where nothing does, that it is the catalog's default."""
    node = read_environment(workspace.folder.parents[1], workspace.environment.name).tree.at((key,))
    return str(node.position) if node else "the catalog's default"
