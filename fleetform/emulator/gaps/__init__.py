"""Behavior of AWS that moto 5.2.5 lacks, so that Terraform would see drift, wait forever or find leftovers.

Some gaps would also make `prune` choose a wrong image as the newest, or delete an image that ECR keeps.

Each function fills one gap by changing a class of moto, once, before the server answers its first request. It
fails if the code that it changes does not exist, or if moto has got the behavior in the meantime.
"""

from fleetform.emulator.gaps import (
    autoscaling,
    discovery,
    ecr,
    ecs,
    load_balancing,
    networks,
    security_groups,
)


def fill() -> None:
    """Fill every gap. Those of ECS change the same calls, so a service's settings come before its tasks."""
    for gap in (
        ecs.remember_service_settings,
        ecs.choose_launch_type,
        ecs.reach_steady_state,
        ecs.register_instances,
        ecs.end_tasks,
        ecs.hide_deleted,
        autoscaling.tag_scalable_targets,
        autoscaling.replace_alarms,
        autoscaling.report_missing_targets,
        discovery.find_namespaces,
        discovery.delete_hosted_zones,
        ecr.record_precise_push_times,
        ecr.record_subjects,
        ecr.measure_images,
        ecr.keep_parts_of_indexes,
        load_balancing.accept_any_certificate,
        load_balancing.accept_any_hosted_zone,
        load_balancing.accept_any_web_acl,
        networks.delete_network_acls,
        networks.report_missing_network_acl_entries,
        networks.delete_nat_interfaces,
        networks.route_to_gateway_endpoints,
        security_groups.describe_group_rules,
        security_groups.modify_every_kind_of_rule,
    ):
        gap()
