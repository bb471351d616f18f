locals {
  # Of the service's tasks together, in percent of what is reserved.
  usage_alarms = var.alarms == null ? {} : {
    cpu    = { metric = "CPUUtilization", threshold = var.alarms.cpu }
    memory = { metric = "MemoryUtilization", threshold = var.alarms.memory }
  }

  alarms = var.alarms == null ? toset([]) : toset(["this"])
}

resource "aws_cloudwatch_metric_alarm" "usage" {
  for_each = local.usage_alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${var.service} uses more than ${each.value.threshold} % of its ${each.key}."
  alarm_actions     = var.alarms.topic_arns
  ok_actions        = var.alarms.topic_arns
  tags              = var.tags

  namespace   = "AWS/ECS"
  metric_name = each.value.metric
  dimensions  = { ClusterName = local.cluster_name, ServiceName = var.name }
  statistic   = "Average"

  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 15
  datapoints_to_alarm = 10
  treat_missing_data  = "notBreaching"
}

# Container Insights counts both; where it is off there is nothing to compare, and no alarm.
resource "aws_cloudwatch_metric_alarm" "running" {
  for_each = local.alarms

  alarm_name        = "${var.name}-running"
  alarm_description = "Fewer tasks of ${var.service} run than are wanted."
  alarm_actions     = var.alarms.topic_arns
  ok_actions        = var.alarms.topic_arns
  tags              = var.tags

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 15
  datapoints_to_alarm = 10
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "missing"
    expression  = "desired - FILL(running, 0)"
    label       = "Tasks that are missing"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { desired = "DesiredTaskCount", running = "RunningTaskCount" }

    content {
      id = metric_query.key

      metric {
        namespace   = "ECS/ContainerInsights"
        metric_name = metric_query.value
        dimensions  = { ClusterName = local.cluster_name, ServiceName = var.name }
        period      = 60
        stat        = "Average"
      }
    }
  }
}
