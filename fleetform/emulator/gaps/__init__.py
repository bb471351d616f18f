"""What AWS does and moto 5.2.5 does not, where Terraform would see drift, wait for ever or find leftovers.

Or where `invoke prune` would take another image for the newest, or delete what ECR keeps.

Each function fills one gap by changing a class of moto, once, before the server answers its first request. All of them
fail if what they change is not there, or if moto has meanwhile learnt what they add.
"""

from fleetform.emulator.gaps import autoscaling, discovery, ecr, ecs, load_balancing, networks, security_groups


def fill() -> None:
    """Fill every gap; those of ECS change the same calls, so what a service is to be comes before what it then runs."""
    for gap in (
        ecs.remember_service_settings,
        ecs.choose_launch_type,
        ecs.reach_steady_state,
        ecs.register_instances,
        ecs.end_tasks,
        ecs.hide_deleted,
        autoscaling.tag_scalable_targets,
        autoscaling.replace_alarms,
        autoscaling.miss_what_is_gone,
        discovery.find_namespaces,
        discovery.delete_hosted_zones,
        ecr.tell_push_times,
        ecr.tell_subjects,
        ecr.measure_images,
        ecr.keep_parts_of_indexes,
        load_balancing.take_any_certificate,
        load_balancing.take_any_hosted_zone,
        load_balancing.take_any_web_acl,
        networks.delete_network_acls,
        networks.know_missing_network_acl_entries,
        networks.delete_nat_interfaces,
        networks.route_to_gateway_endpoints,
        security_groups.describe_group_rules,
        security_groups.modify_every_kind_of_rule,
    ):
        gap()
