# An autoscaled service: service_fixed.tf but for desired_count, written by `./run golden`.
resource "aws_ecs_service" "autoscaled" {
  for_each = var.autoscaling == null ? toset([]) : toset(["this"])

  name            = var.name
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = var.autoscaling.min

  deployment_maximum_percent         = var.deployment_maximum_percent
  deployment_minimum_healthy_percent = var.deployment_minimum_healthy_percent

  availability_zone_rebalancing = "ENABLED"
  enable_ecs_managed_tags       = true
  enable_execute_command        = var.exec_log_group_arn != null
  propagate_tags                = "SERVICE"
  wait_for_steady_state         = var.wait_for_steady_state

  health_check_grace_period_seconds = local.health_check_grace_period

  force_new_deployment = var.force_new_deployment

  launch_type = var.launch_type

  dynamic "capacity_provider_strategy" {
    for_each = var.launch_type == null ? var.capacity_providers : {}

    content {
      capacity_provider = capacity_provider_strategy.key
      base              = capacity_provider_strategy.value.base
      weight            = capacity_provider_strategy.value.weight
    }
  }

  deployment_circuit_breaker {
    enable   = var.deployment_circuit_breaker
    rollback = var.deployment_circuit_breaker
  }

  # The provider cannot send an empty list: when all alarms are removed, the last ones stay in force.
  dynamic "alarms" {
    for_each = length(var.deployment_alarms) == 0 ? [] : [var.deployment_alarms]

    content {
      alarm_names = alarms.value
      enable      = true
      rollback    = true
    }
  }

  network_configuration {
    assign_public_ip = var.assign_public_ip
    security_groups  = var.security_group_ids
    subnets          = var.subnet_ids
  }

  dynamic "load_balancer" {
    for_each = local.load_balancer

    content {
      target_group_arn = aws_lb_target_group.this[load_balancer.key].arn
      container_name   = var.service
      container_port   = load_balancer.value.port
    }
  }

  dynamic "service_registries" {
    for_each = var.discovery_service_arn[*]

    content {
      registry_arn   = service_registries.value
      container_name = var.discovery_record_type == "SRV" ? var.service : null
      container_port = var.discovery_record_type == "SRV" ? var.port : null
    }
  }

  dynamic "service_connect_configuration" {
    for_each = var.service_connect[*]

    content {
      enabled   = true
      namespace = service_connect_configuration.value.namespace_arn

      log_configuration {
        log_driver = "awslogs"
        options    = local.proxy_log_options
      }

      dynamic "service" {
        for_each = service_connect_configuration.value.server[*]

        content {
          port_name      = coalesce(service.value.port_name, var.service)
          discovery_name = var.service

          client_alias {
            dns_name = service.value.dns_name
            port     = local.connect_port
          }

          dynamic "timeout" {
            for_each = (
              service.value.idle_timeout == null && service.value.request_timeout == null ? [] : [service.value]
            )

            content {
              idle_timeout_seconds        = timeout.value.idle_timeout
              per_request_timeout_seconds = timeout.value.request_timeout
            }
          }
        }
      }
    }
  }

  tags = var.tags

  lifecycle {
    ignore_changes = [desired_count]

    # A rollback also ends in a steady state.
    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.this.arn
      error_message = "${var.name}: new tasks did not become healthy; ECS rolled back to ${self.task_definition}."
    }
  }

  # Without its permissions a task can neither start nor, on destroy, drain. ECS rejects a target group that no listener
  # uses. Only this resource waits for start_after: what is created before it is destroyed, such as the task definition,
  # makes everything that it depends on so, and ECS accepts no second service with the same name.
  depends_on = [
    aws_iam_role_policy.execution,
    aws_iam_role_policy.task,
    aws_iam_role_policy_attachment.task,
    aws_lb_listener_rule.this,
    var.start_after,
  ]
}
