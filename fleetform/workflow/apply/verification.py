"""Verifies a running environment against the catalog."""

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws import verification
from fleetform.aws.verification import Report
from fleetform.base.errors import ProgramError
from fleetform.workflow.workspace import Workspace


def verify(workspace: Workspace) -> Report:
    """Compare the running environment with the catalog.

    Raises:
        ProgramError: AWS reports an error.
    """
    try:
        return verification.verify(workspace.environment, workspace.access)
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(
            f"{error}; is `{workspace.environment.name}` applied, and are the credentials right?"
        ) from None
