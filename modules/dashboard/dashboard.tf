locals {
  service_metrics = {
    "CPU, percent"    = { namespace = "AWS/ECS", metric = "CPUUtilization" }
    "Memory, percent" = { namespace = "AWS/ECS", metric = "MemoryUtilization" }
    "Tasks running"   = { namespace = "ECS/ContainerInsights", metric = "RunningTaskCount" }
  }

  service_widgets = [
    for title, source in local.service_metrics : {
      title = title
      stat  = "Average"
      metrics = [
        for service in sort(var.services) : [
          source.namespace, source.metric,
          "ClusterName", var.name, "ServiceName", "${var.name}-${service}",
          { label = service },
        ]
      ]
    }
  ]

  load_balancer_metrics = {
    "Requests a minute"             = { metric = "RequestCount", stat = "Sum" }
    "Response time, p99 in seconds" = { metric = "TargetResponseTime", stat = "p99" }
    "Errors of services, 5xx"       = { metric = "HTTPCode_Target_5XX_Count", stat = "Sum" }
  }

  load_balancer_widgets = flatten([
    for load_balancer in var.load_balancer_arn_suffix[*] : [
      for title, source in local.load_balancer_metrics : {
        title   = title
        stat    = source.stat
        metrics = [["AWS/ApplicationELB", source.metric, "LoadBalancer", load_balancer]]
      }
    ]
  ])

  # Tuples instead of lists, as the shapes of their metrics differ.
  widgets = concat(local.load_balancer_widgets, local.service_widgets)
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for index, widget in local.widgets : {
        type   = "metric"
        x      = index % 3 * 8
        y      = floor(index / 3) * 6
        width  = 8
        height = 6
        properties = {
          title   = widget.title
          region  = var.region
          period  = 60
          stat    = widget.stat
          view    = "timeSeries"
          metrics = widget.metrics
        }
      }
    ]
  })
}
