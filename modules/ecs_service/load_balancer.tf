locals {
  load_balancer = {
    for given in var.load_balancer[*] : "this" => merge(given, {
      arn_suffix = regex("app/[^/]+/[^/]+", given.listener_arn)
      port       = coalesce(given.port, var.port)
    })
  }
}

resource "aws_lb_target_group" "this" {
  for_each = local.load_balancer

  # At most 32 characters. A group that replaces this one is created first and needs a different name, hence the hash.
  name = join("-", [
    replace(trim(substr(var.name, 0, 25), "_-"), "_", "-"),
    substr(sha256("${var.name} ${each.value.vpc_id}"), 0, 6),
  ])
  vpc_id      = each.value.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 80 # only of targets without a port: ECS registers each with its own

  deregistration_delay = each.value.deregistration_delay

  health_check {
    path     = each.value.health_check.path
    interval = each.value.health_check.interval
    timeout  = min(each.value.health_check.timeout, each.value.health_check.interval - 1)
    matcher  = "200-399"
  }

  tags = var.tags

  lifecycle {
    # A listener rule uses it, so it cannot be deleted first.
    create_before_destroy = true

    # Groups whose name and port followed from the service's port stay. A replacement gets the new ones.
    ignore_changes = [name, port]
  }
}

resource "aws_lb_listener_rule" "this" {
  for_each = local.load_balancer

  listener_arn = each.value.listener_arn
  priority     = each.value.priority

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }

  dynamic "condition" {
    for_each = length(each.value.hosts) > 0 ? ["hosts"] : []

    content {
      host_header {
        values = each.value.hosts
      }
    }
  }

  dynamic "condition" {
    for_each = length(each.value.paths) > 0 ? ["paths"] : []

    content {
      path_pattern {
        values = each.value.paths
      }
    }
  }

  tags = merge(var.tags, { Name = var.name })
}

resource "aws_appautoscaling_policy" "requests" {
  for_each = {
    for key, target in local.scalable : key => target if try(var.autoscaling.requests_per_target, null) != null
  }

  name               = "${var.name}-requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = each.value.service_namespace
  resource_id        = each.value.resource_id
  scalable_dimension = each.value.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = var.autoscaling.requests_per_target

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label = join("/", [
        local.load_balancer[each.key].arn_suffix, aws_lb_target_group.this[each.key].arn_suffix
      ])
    }
  }

  lifecycle {
    replace_triggered_by = [aws_ecs_service.autoscaled["this"].id]
  }

  # AWS rejects the policy for a target group without a listener.
  depends_on = [aws_lb_listener_rule.this]
}
