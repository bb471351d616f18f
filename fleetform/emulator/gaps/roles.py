"""AWS IAM: the quotas of a role's policies."""

from typing import Any, cast

from moto.iam.exceptions import LimitExceededException
from moto.iam.models import IAMBackend, Role

from fleetform.emulator.gaps.patches import Method, wrap

# In characters without white space (IAM user guide, "IAM and AWS STS quotas").
INLINE_POLICIES = 10_240
TRUST_POLICY = 2_048


def limit_policies() -> None:
    """Refuse inline policies of a role that are too long together, and a trust policy that is too long.

    AWS: LimitExceeded (kubernetes/kops#12558, kubernetes-sigs/aws-load-balancer-controller#2718).
    Moto: ``iam/models.py`` put_role_policy and create_role take any length.
    """

    def put_role_policy(original: Method) -> Method:
        def put(backend: IAMBackend, role_name: str, policy_name: str, policy_json: str) -> None:
            policies = {**backend.get_role(role_name).policies, policy_name: policy_json}
            if sum(map(_length, policies.values())) > INLINE_POLICIES:
                message = f"Maximum policy size of {INLINE_POLICIES} bytes exceeded for role {role_name}"
                raise LimitExceededException(message)
            original(backend, role_name, policy_name, policy_json)

        return put

    def create_role(original: Method) -> Method:
        def created(
            backend: IAMBackend,
            role_name: str,
            assume_role_policy_document: str,
            *args: Any,  # noqa: ANN401 -- passed on
            **kwargs: Any,  # noqa: ANN401 -- passed on
        ) -> Role:
            if _length(assume_role_policy_document) > TRUST_POLICY:
                raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY}")
            return cast("Role", original(backend, role_name, assume_role_policy_document, *args, **kwargs))

        return created

    wrap(IAMBackend, "put_role_policy", put_role_policy)
    wrap(IAMBackend, "create_role", create_role)


def _length(policy: str) -> int:
    return len("".join(policy.split()))
