resource "aws_service_discovery_service" "this" {
  for_each = var.services

  name = each.key

  # A service with instances cannot be deleted otherwise. It must be in the state, so it must have been applied before.
  force_destroy = true

  dns_config {
    namespace_id   = local.namespace_id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = each.value.record_type
      ttl  = each.value.ttl
    }
  }

  # ECS reports the health of its tasks. With any other threshold, or without one, every plan shows a change.
  health_check_custom_config {
    failure_threshold = 1
  }
}
