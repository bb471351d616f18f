"""What runs in an environment, against what the catalog says."""

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws import verification
from fleetform.aws.verification import Report
from fleetform.base.errors import ProgramError
from fleetform.workflow.workspace import Workspace


def verify(workspace: Workspace) -> Report:
    """Compares the running environment with the catalog.

    Raises:
        ProgramError: AWS does not answer as it should.
    """
    try:
        return verification.verify(workspace.environment, workspace.access)
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(
            f"{error}; is `{workspace.environment.name}` applied, and are the credentials right?"
        ) from None
