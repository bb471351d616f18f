locals {
  # Parts of an ARN instead of data sources: known in every plan, and no calls to AWS for each service.
  cluster = provider::aws::arn_parse(var.cluster_arn)

  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
  fargate_memory = {
    "256"   = [512, 1024, 2048]
    "512"   = range(1024, 4096 + 1, 1024)
    "1024"  = range(2048, 8192 + 1, 1024)
    "2048"  = range(4096, 16384 + 1, 1024)
    "4096"  = range(8192, 30720 + 1, 1024)
    "8192"  = range(16384, 61440 + 1, 4096)
    "16384" = range(32768, 122880 + 1, 8192)
  }

  # The container that receives the others' output, if output is routed.
  log_router = length(var.log_routing) == 0 ? null : "log_router"

  # Everything that AWS would add is written out, or every plan would replace the task definition.
  containers = {
    for name, container in var.containers : name => {
      name                   = name
      image                  = container.image
      entryPoint             = container.entry_point
      command                = container.command
      user                   = name == local.log_router ? "0" : container.user # AWS accepts no other
      cpu                    = container.cpu
      memory                 = container.memory
      essential              = container.essential
      readonlyRootFilesystem = container.read_only
      stopTimeout            = container.stop_timeout

      environment = [
        for variable, value in merge(
          container.environment,
          name == var.service ? { for port in var.port[*] : "PORT" => tostring(port) } : {},
        ) : { name = variable, value = value }
      ]

      secrets = length(container.secrets) == 0 ? null : [
        for variable, secret in container.secrets : {
          name = variable
          valueFrom = secret.parameter != null ? secret.parameter : join(":", concat(
            [local.secret_arns[secret.secret]],
            [for key in secret.json_key[*] : "${key}::"],
          ))
        }
      ]

      portMappings = concat(
        [
          for port in var.port[*] : merge(
            { containerPort = port, hostPort = port, protocol = "tcp" },
            try(var.service_connect.server, null) == null || local.connect_name != null ? {} : {
              name = var.service, appProtocol = "http"
            },
          ) if name == var.service
        ],
        [
          for port_name, port in container.ports : merge(
            {
              name          = port_name
              containerPort = port.container_port
              hostPort      = port.container_port
              protocol      = port.protocol
            },
            port.app_protocol == null ? {} : { appProtocol = port.app_protocol },
          )
        ],
      )

      # Lets processes other than root listen on ports below 1024.
      systemControls = anytrue([
        for port in concat(values(container.ports)[*].container_port, name == var.service ? var.port[*] : []) :
        port < 1024
      ]) ? [{ namespace = "net.ipv4.ip_unprivileged_port_start", value = "0" }] : []

      # Reaps processes that ECS Exec sessions leave behind.
      linuxParameters = var.exec_log_group_arn == null ? null : { initProcessEnabled = true }

      ulimits = length(container.ulimits) == 0 ? null : [
        for limit_name, limit in container.ulimits :
        { name = limit_name, softLimit = limit.soft_limit, hardLimit = limit.hard_limit }
      ]

      healthCheck = container.health_check == null ? null : {
        command     = container.health_check.command
        interval    = container.health_check.interval
        retries     = container.health_check.retries
        startPeriod = container.health_check.start_period
        timeout     = container.health_check.timeout
      }

      dependsOn = length(container.depends_on) == 0 ? null : [
        for other, condition in container.depends_on : { containerName = other, condition = upper(condition) }
      ]

      logConfiguration = local.log_router == null || name == local.log_router ? {
        logDriver = "awslogs"
        options = merge(
          {
            awslogs-group         = aws_cloudwatch_log_group.this.name
            awslogs-region        = local.cluster.region
            awslogs-stream-prefix = name
            mode                  = var.log_mode # otherwise the account's setting applies
          },
          { for size in var.log_max_buffer_size_mib[*] : "max-buffer-size" => "${size}m" },
        )
        } : {
        logDriver = "awsfirelens"
        options   = var.log_routing
      }

      firelensConfiguration = name != local.log_router ? null : {
        type    = "fluentbit"
        options = { enable-ecs-log-metadata = "true" }
      }

      mountPoints = [
        for volume, mount in container.mounts :
        { sourceVolume = volume, containerPath = mount.container_path, readOnly = mount.read_only }
      ]

      volumesFrom = []
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"

  cpu    = var.cpu
  memory = var.memory

  execution_role_arn = aws_iam_role.execution.arn
  task_role_arn      = aws_iam_role.task.arn

  container_definitions = jsonencode([
    for container in local.containers : { for key, value in container : key => value if value != null }
  ])

  dynamic "ephemeral_storage" {
    for_each = var.ephemeral_storage[*]

    content {
      size_in_gib = ephemeral_storage.value
    }
  }

  dynamic "volume" {
    for_each = var.volumes

    content {
      name = volume.key

      dynamic "efs_volume_configuration" {
        for_each = volume.value.efs[*]

        content {
          file_system_id     = efs_volume_configuration.value.file_system_id
          root_directory     = efs_volume_configuration.value.root_directory
          transit_encryption = "ENABLED"

          authorization_config {
            access_point_id = efs_volume_configuration.value.access_point_id
            iam             = efs_volume_configuration.value.iam ? "ENABLED" : "DISABLED"
          }
        }
      }
    }
  }

  runtime_platform {
    cpu_architecture        = upper(var.architecture)
    operating_system_family = "LINUX"
  }

  tags = var.tags

  lifecycle {
    # ECS rolls a failed deployment back to the old revision, which must still exist.
    create_before_destroy = true
  }
}
