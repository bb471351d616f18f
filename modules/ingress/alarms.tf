# Errors before a service answers, or instead: no healthy task, none that answers in time, an answer that is none. Requests
# that find no task are not among RequestCount, and CloudWatch has no number for none, hence FILL.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = { for alarms in var.alarms[*] : "this" => alarms }

  alarm_name        = "${var.name}-load-balancer-errors"
  alarm_description = "The load balancer answers more than ${each.value.errors} % of requests with an error of its own (5xx)."
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
