# Errors of the load balancer itself: no healthy task, a timeout, or a malformed response. RequestCount excludes
# requests that found no task. FILL replaces the points that CloudWatch does not report.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = { for alarms in var.alarms[*] : "this" => alarms }

  alarm_name        = "${var.name}-load-balancer-errors"
  alarm_description = "Load balancer: more than ${each.value.errors} % of requests fail with a 5xx error of its own"
  alarm_actions     = each.value.topic_arns
  ok_actions        = each.value.topic_arns

  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.errors
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "share"
    expression  = "100 * FILL(errors, 0) / (FILL(errors, 0) + FILL(requests, 0))"
    label       = "Requests that end in an error, percent"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { errors = "HTTPCode_ELB_5XX_Count", requests = "RequestCount" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancer = aws_lb.this.arn_suffix }
        period      = 60
        stat        = "Sum"
      }
    }
  }
}
