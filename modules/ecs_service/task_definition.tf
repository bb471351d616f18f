locals {
  # Parts of an ARN instead of data sources: no calls to AWS for each service, and known when the plan is made.
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

  # What AWS adds by itself is written out: a difference would replace the task definition in every plan.
  container = {
    name                   = var.service
    image                  = var.image
    entryPoint             = var.entry_point
    command                = var.command
    user                   = var.user
    cpu                    = 0
    essential              = true
    readonlyRootFilesystem = var.read_only
    stopTimeout            = var.stop_timeout

    environment = [
      for name, value in merge(var.environment, { for port in var.port[*] : "PORT" => tostring(port) }) :
      { name = name, value = value }
    ]

    portMappings = [
      for port in var.port[*] : merge(
        { containerPort = port, hostPort = port, protocol = "tcp" },
        { for server in try(var.service_connect.server, null)[*] : "name" => var.service },
        { for server in try(var.service_connect.server, null)[*] : "appProtocol" => "http" },
      )
    ]

    # Lets a process that is not root listen on a port below 1024.
    systemControls = [
      for port in var.port[*] : { namespace = "net.ipv4.ip_unprivileged_port_start", value = "0" } if port < 1024
    ]

    ulimits = length(var.ulimits) == 0 ? null : [
      for name, limit in var.ulimits : { name = name, softLimit = limit.soft_limit, hardLimit = limit.hard_limit }
    ]

    healthCheck = var.health_check == null ? null : {
      command     = var.health_check.command
      interval    = var.health_check.interval
      retries     = var.health_check.retries
      startPeriod = var.health_check.start_period
      timeout     = var.health_check.timeout
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = local.cluster.region
        awslogs-stream-prefix = var.service
      }
    }

    mountPoints = []
    volumesFrom = []
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

  container_definitions = jsonencode([{ for key, value in local.container : key => value if value != null }])

  dynamic "ephemeral_storage" {
    for_each = var.ephemeral_storage[*]

    content {
      size_in_gib = ephemeral_storage.value
    }
  }

  runtime_platform {
    cpu_architecture        = upper(var.architecture)
    operating_system_family = "LINUX"
  }

  lifecycle {
    # A deployment that fails is rolled back to the old revision, which must not be deregistered yet.
    create_before_destroy = true
  }
}
