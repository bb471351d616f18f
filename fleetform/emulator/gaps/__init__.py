"""Behavior of AWS that moto 5.2.5 lacks, so that Terraform would see drift, wait forever or find leftovers.

Some gaps would also make `prune` choose a wrong image as the newest, or delete an image that ECR keeps.
Others are refusals: AWS refuses what moto accepts, so an apply in the wrong order would succeed only here.

Each function fills one gap by changing a class of moto, once, before the server answers its first request. It
fails if the code that it changes does not exist, or if moto has got the behavior in the meantime.
"""

from fleetform.emulator.gaps import (
    autoscaling,
    dependencies,
    discovery,
    ecr,
    ecs,
    load_balancing,
    logs,
    networks,
    roles,
    security_groups,
    services,
)
from fleetform.emulator.gaps.delays import DEFAULT_SECONDS, DELAYS


def fill(delay: float = DEFAULT_SECONDS) -> None:
    """Fill every gap. Those of ECS change the same calls, so a service's settings come before its tasks.

    Args:
        delay: Seconds that a service drains, and that the network interfaces of tasks outlive them.
    """
    DELAYS.seconds = delay
    for gap in (
        ecs.remember_service_settings,
        ecs.choose_launch_type,
        ecs.reach_steady_state,
        ecs.run_tasks,
        ecs.end_tasks,
        ecs.hide_deleted,
        services.drain_services,
        services.check_new_services,
        services.refuse_existing_names,
        services.check_updates,
        services.refuse_clusters_in_use,
        services.limit_task_definitions,
        autoscaling.tag_scalable_targets,
        autoscaling.replace_alarms,
        autoscaling.report_missing_targets,
        autoscaling.require_services,
        autoscaling.require_targets,
        discovery.find_namespaces,
        discovery.delete_hosted_zones,
        discovery.refuse_existing_services,
        discovery.refuse_existing_namespaces,
        discovery.keep_names_in_use,
        ecr.record_precise_push_times,
        ecr.record_subjects,
        ecr.measure_images,
        ecr.keep_parts_of_indexes,
        load_balancing.accept_any_certificate,
        load_balancing.accept_any_hosted_zone,
        load_balancing.accept_any_web_acl,
        load_balancing.swap_priorities,
        load_balancing.limit_rules,
        logs.encrypt_log_groups,
        roles.limit_policies,
        networks.delete_network_acls,
        networks.report_missing_network_acl_entries,
        networks.delete_nat_interfaces,
        networks.route_to_gateway_endpoints,
        networks.follow_subnets_of_endpoints,
        dependencies.keep_groups_in_use,
        dependencies.keep_subnets_in_use,
        dependencies.keep_gateways_in_use,
        dependencies.keep_vpcs_in_use,
        dependencies.keep_addresses_in_use,
        security_groups.describe_group_rules,
        security_groups.modify_every_kind_of_rule,
    ):
        gap()
