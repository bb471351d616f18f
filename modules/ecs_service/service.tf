locals {
  cluster_name = trimprefix(local.cluster.resource, "cluster/")

  # Either an ECS service keeps tasks running, or tasks run to completion.
  schedules = { for schedule in var.schedule[*] : "this" => schedule }
  runs_on   = length(local.schedules) == 0 && !var.one_off

  # The port of the service in Service Connect.
  connect_name = try(var.service_connect.server.port_name, null)
  connect_port = (
    local.connect_name == null ? var.port : var.containers[var.service].ports[local.connect_name].container_port
  )

  proxy_log_options = {
    awslogs-group         = local.log_group_name
    awslogs-region        = local.cluster.region
    awslogs-stream-prefix = "service-connect"
  }

  # A task that the load balancer finds unhealthy is not replaced while it starts.
  health_check_grace_period = (
    var.load_balancer == null ? null : max(60, try(var.containers[var.service].health_check.start_period, 0))
  )
}

# ECS changes the registry of a service in place, so nothing has to replace it.
removed {
  from = terraform_data.discovery_service

  lifecycle {
    destroy = false
  }
}
