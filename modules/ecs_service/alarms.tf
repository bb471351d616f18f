locals {
  # Of all tasks of the service, in percent of what they reserve. Tasks that run to completion have no such metrics.
  usage_alarms = var.alarms == null || !local.runs_on ? {} : {
    cpu    = { metric = "CPUUtilization", threshold = var.alarms.cpu }
    memory = { metric = "MemoryUtilization", threshold = var.alarms.memory }
  }

  # Dimensions of the load balancer's metrics for this service.
  target_dimensions = {
    for key, group in aws_lb_target_group.this :
    key => { LoadBalancer = local.load_balancer[key].arn_suffix, TargetGroup = group.arn_suffix } if var.alarms != null
  }
}

resource "aws_cloudwatch_metric_alarm" "usage" {
  for_each = local.usage_alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${var.service}: ${each.value.metric} above ${each.value.threshold} %"
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

# Container Insights reports both metrics.
resource "aws_cloudwatch_metric_alarm" "running" {
  for_each = local.runs_on && try(var.alarms.running, false) ? toset(["this"]) : toset([])

  alarm_name        = "${var.name}-running"
  alarm_description = "${var.service}: running below desired count"
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

# Only requests that the load balancer sent to tasks. FILL replaces the points that CloudWatch does not report.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.target_dimensions

  alarm_name        = "${var.name}-errors"
  alarm_description = "${var.service}: more than ${var.alarms.errors} % of requests end in a 5xx error"
  alarm_actions     = var.alarms.topic_arns
  ok_actions        = var.alarms.topic_arns
  tags              = var.tags

  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarms.errors
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "share"
    expression  = "100 * FILL(errors, 0) / requests"
    label       = "Requests that end in an error, percent"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { errors = "HTTPCode_Target_5XX_Count", requests = "RequestCount" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = each.value
        period      = 60
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "response_time" {
  for_each = local.target_dimensions

  alarm_name        = "${var.name}-response-time"
  alarm_description = "${var.service}: p99 response time above ${var.alarms.p99_milliseconds} ms"
  alarm_actions     = var.alarms.topic_arns
  ok_actions        = var.alarms.topic_arns
  tags              = var.tags

  namespace          = "AWS/ApplicationELB"
  metric_name        = "TargetResponseTime" # in seconds
  dimensions         = each.value
  extended_statistic = "p99"

  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarms.p99_milliseconds / 1000
  period              = 60
  evaluation_periods  = 15
  datapoints_to_alarm = 10
  treat_missing_data  = "notBreaching"
}
