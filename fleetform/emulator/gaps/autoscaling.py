"""Application Auto Scaling."""

import json
from typing import Any, cast

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, FakeApplicationAutoscalingPolicy
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError

from fleetform.emulator.gaps.patches import Method, add, parameter, wrap


def tag_scalable_targets() -> None:
    """Tag scalable targets.

    AWS (Application Auto Scaling API_ListTagsForResource, API_TagResource, API_UntagResource).
    Moto: ``applicationautoscaling/responses.py`` has none of them and ignores RegisterScalableTarget's
    ``Tags``.
    """

    def register_scalable_target(original: Method) -> Method:
        def registered(response: ApplicationAutoScalingResponse) -> str:
            answer = json.loads(original(response))
            tags_of(response, answer["ScalableTargetARN"]).update(parameter(response, "Tags") or {})
            return json.dumps(answer)

        return registered

    def list_tags_for_resource(response: ApplicationAutoScalingResponse) -> str:
        return json.dumps({"Tags": tags_of(response, parameter(response, "ResourceARN"))})

    def tag_resource(response: ApplicationAutoScalingResponse) -> str:
        tags_of(response, parameter(response, "ResourceARN")).update(parameter(response, "Tags"))
        return "{}"

    def untag_resource(response: ApplicationAutoScalingResponse) -> str:
        tags = tags_of(response, parameter(response, "ResourceARN"))
        for key in parameter(response, "TagKeys"):
            tags.pop(key, None)
        return "{}"

    wrap(ApplicationAutoScalingResponse, "register_scalable_target", register_scalable_target)
    for action in (list_tags_for_resource, tag_resource, untag_resource):
        add(ApplicationAutoScalingResponse, action)


def tags_of(response: ApplicationAutoScalingResponse, arn: str) -> dict[str, str]:
    """Return the tags of a scalable target, to read or to change."""
    for targets in response.applicationautoscaling_backend.targets.values():
        for target in targets.values():
            if target.arn == arn:
                return cast("dict[str, str]", vars(target).setdefault("tags", {}))
    raise JsonRESTError("ResourceNotFoundException", f"No scalable target found for resource ARN: {arn}")


def replace_alarms() -> None:
    """Delete the alarms of a scaling policy that is replaced.

    AWS (Application Auto Scaling API_PutScalingPolicy): an update keeps or replaces the policy's alarms.
    Moto: ``applicationautoscaling/models.py`` put_scaling_policy creates new alarms and keeps the old ones
    forever.
    """

    def put_scaling_policy(original: Method) -> Method:
        def put(backend: ApplicationAutoscalingBackend, **kwargs: Any) -> FakeApplicationAutoscalingPolicy:  # noqa: ANN401 -- passed on
            earlier = set(backend.policies.values())
            policy = original(backend, **kwargs)
            for replaced in earlier - set(backend.policies.values()):
                replaced.delete_alarms(backend.account_id, backend.region_name)
            return cast("FakeApplicationAutoscalingPolicy", policy)

        return put

    wrap(ApplicationAutoscalingBackend, "put_scaling_policy", put_scaling_policy)


def report_missing_targets() -> None:
    """Report a missing scalable target or policy so that a second attempt to delete it succeeds.

    AWS (Application Auto Scaling API_DeregisterScalableTarget, API_DeleteScalingPolicy):
    ``ObjectNotFoundException``. Moto: ``applicationautoscaling/models.py`` raises ``ValidationException`` in
    both.
    """

    def delete(original: Method) -> Method:
        def deleted(backend: ApplicationAutoscalingBackend, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- passed on
            try:
                original(backend, *args, **kwargs)
            except AWSValidationException as error:
                raise JsonRESTError("ObjectNotFoundException", error.message) from None

        return deleted

    for method in ("deregister_scalable_target", "delete_scaling_policy"):
        wrap(ApplicationAutoscalingBackend, method, delete)


def require_services() -> None:
    """Refuse to register a service that is not ACTIVE.

    AWS (Application Auto Scaling API_RegisterScalableTarget): the resource must exist; ValidationException.
    Moto: ``applicationautoscaling/models.py`` accepts a service that was deleted.
    """

    def exists(original: Method) -> Method:
        def checked(backend: ApplicationAutoscalingBackend, r_id: str) -> bool:
            original(backend, r_id)
            _, cluster, service = r_id.split("/")
            found, _ = backend.ecs_backend.describe_services(cluster, [service])
            if found[0].status != "ACTIVE":
                raise AWSValidationException(f"ECS service doesn't exist: {r_id}")
            return True

        return checked

    wrap(ApplicationAutoscalingBackend, "_ecs_service_exists_for_target", exists)


def require_targets() -> None:
    """Refuse a scaling policy or a scheduled action without a scalable target.

    AWS (Application Auto Scaling API_PutScalingPolicy, API_PutScheduledAction): ObjectNotFoundException.
    Moto: ``applicationautoscaling/models.py`` accepts both.
    """

    def put(original: Method) -> Method:
        def checked(response: ApplicationAutoScalingResponse) -> str:
            namespace, resource, dimension = (
                parameter(response, name) for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")
            )
            if resource not in response.applicationautoscaling_backend.targets.get(dimension, {}):
                message = (
                    f"No scalable target registered for service namespace: {namespace}, "
                    f"resource ID: {resource}, scalable dimension: {dimension}"
                )
                raise JsonRESTError("ObjectNotFoundException", message)
            return cast("str", original(response))

        return checked

    for method in ("put_scaling_policy", "put_scheduled_action"):
        wrap(ApplicationAutoScalingResponse, method, put)
