locals {
  # Target tracking of average utilization, by resource.
  tracked = {
    for key, metric in { cpu = "ECSServiceAverageCPUUtilization", memory = "ECSServiceAverageMemoryUtilization" } :
    key => { metric = metric, target = var.autoscaling[key] } if try(var.autoscaling[key], null) != null
  }

  scheduled_bounds = try(var.autoscaling.schedule, {})
  scalable         = merge(aws_appautoscaling_target.this, aws_appautoscaling_target.scheduled)
}

# Two variants, as Terraform takes ignore_changes only literally: Terraform owns these bounds, a schedule those below.
resource "aws_appautoscaling_target" "this" {
  for_each = length(local.scheduled_bounds) == 0 ? aws_ecs_service.autoscaled : {}

  service_namespace  = "ecs"
  resource_id        = "service/${local.cluster_name}/${each.value.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.autoscaling.min
  max_capacity       = var.autoscaling.max

  tags = var.tags

  lifecycle {
    # AWS deletes the target, and its policies and scheduled actions, with the service. A service of the same name that
    # replaces it has none.
    replace_triggered_by = [aws_ecs_service.autoscaled[each.key].id]
  }
}

resource "aws_appautoscaling_target" "scheduled" {
  for_each = length(local.scheduled_bounds) == 0 ? {} : aws_ecs_service.autoscaled

  service_namespace  = "ecs"
  resource_id        = "service/${local.cluster_name}/${each.value.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.autoscaling.min
  max_capacity       = var.autoscaling.max

  tags = var.tags

  lifecycle {
    # AWS deletes the target, and its policies and scheduled actions, with the service. A service of the same name that
    # replaces it has none.
    replace_triggered_by = [aws_ecs_service.autoscaled[each.key].id]

    # Scheduled actions set them.
    ignore_changes = [max_capacity, min_capacity]
  }
}

resource "aws_appautoscaling_scheduled_action" "this" {
  for_each = local.scheduled_bounds

  name               = "${var.name}-${each.key}"
  service_namespace  = local.scalable["this"].service_namespace
  resource_id        = local.scalable["this"].resource_id
  scalable_dimension = local.scalable["this"].scalable_dimension

  schedule = each.value.expression
  timezone = each.value.time_zone

  scalable_target_action {
    min_capacity = each.value.min
    max_capacity = each.value.max
  }

  lifecycle {
    replace_triggered_by = [aws_ecs_service.autoscaled["this"].id]
  }
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.tracked

  name               = "${var.name}-${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = local.scalable["this"].service_namespace
  resource_id        = local.scalable["this"].resource_id
  scalable_dimension = local.scalable["this"].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = each.value.target

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
    }
  }

  lifecycle {
    replace_triggered_by = [aws_ecs_service.autoscaled["this"].id]
  }
}

# For states from before memory was tracked.
moved {
  from = aws_appautoscaling_policy.this["this"]
  to   = aws_appautoscaling_policy.this["cpu"]
}
