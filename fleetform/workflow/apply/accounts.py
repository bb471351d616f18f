"""Whose AWS account we are in, before anything there is read or changed."""

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.base.errors import CheckFailedError, ProgramError
from fleetform.terraform.failures import translate_failures
from fleetform.validation.loading import read_environment
from fleetform.workflow.workspace import Workplace


def require_account(workplace: Workplace) -> None:
    """Makes sure that the credentials are of the catalog's account, and that nobody means another region.

    Raises:
        CheckFailedError: They are not, or somebody does.
        ProgramError: AWS does not say who we are.
    """
    environment = workplace.environment
    meant = workplace.variables.get("AWS_REGION") or workplace.variables.get("AWS_DEFAULT_REGION")
    if meant and meant != environment.region:
        raise CheckFailedError(
            f"{environment.name} is in {environment.region} ({_place(workplace, 'region')}), and the process"
            f" environment says {meant}; unset AWS_REGION and AWS_DEFAULT_REGION, or mend `region`"
        )
    account, arn = _identity(workplace)
    if account != environment.account:
        raise CheckFailedError(
            f"{environment.name} is in account {environment.account} ({_place(workplace, 'account')}), and the AWS"
            f" credentials are of {account} ({arn}); choose others with AWS_PROFILE, or mend `account`"
        )


def _identity(workplace: Workplace) -> tuple[str, str]:
    """The account and the ARN of whom AWS takes us for."""
    with translate_failures(workplace.environment.name):
        try:
            found = workplace.access.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise ProgramError(f"AWS does not say who we are: {error}") from None
    return found["Account"], found["Arn"]


def _place(workplace: Workplace, key: str) -> str:
    """Where the catalog says it; where nothing does, that it is the catalog's default."""
    node = read_environment(workplace.folder.parents[1], workplace.environment.name).tree.at((key,))
    return str(node.position) if node else "the catalog's default"
