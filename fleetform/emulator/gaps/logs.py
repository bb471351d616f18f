"""Amazon CloudWatch Logs."""

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse

from fleetform.emulator.gaps.patches import add, parameter


def encrypt_log_groups() -> None:
    """Encrypt an existing log group with a key, or without.

    AWS (CloudWatch Logs API_AssociateKmsKey, API_DisassociateKmsKey).
    Moto: ``logs/responses.py`` has neither.
    """

    def associate_kms_key(response: LogsResponse) -> str:
        _log_group(response).kms_key_id = parameter(response, "kmsKeyId")
        return "{}"

    def disassociate_kms_key(response: LogsResponse) -> str:
        _log_group(response).kms_key_id = None
        return "{}"

    for action in (associate_kms_key, disassociate_kms_key):
        add(LogsResponse, action)


def _log_group(response: LogsResponse) -> LogGroup:
    name = parameter(response, "logGroupName") or parameter(response, "resourceIdentifier").split(":")[-1]
    groups = response.logs_backend.groups
    if name not in groups:
        raise ResourceNotFoundException
    return groups[name]
