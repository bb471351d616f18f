variable "alarms" {
  description = <<-EOT
    Alarm thresholds: `cpu` and `memory` in percent of the reservation, `errors` in percent of the load balancer's
    requests, and `p99_milliseconds` for their response time. `running` watches for missing tasks and needs Container
    Insights. `topic_arns` are the SNS topics to notify. Null for no alarms.
  EOT
  type = object({
    cpu              = optional(number, 90)
    errors           = optional(number, 1)
    memory           = optional(number, 90)
    p99_milliseconds = optional(number, 1000)
    running          = optional(bool, true)
    topic_arns       = optional(list(string), [])
  })
  default = null

  validation {
    condition = alltrue(flatten([
      for alarms in var.alarms[*] : [
        alarms.p99_milliseconds >= 1,
        [for percent in [alarms.cpu, alarms.errors, alarms.memory] : percent >= 1 && percent <= 100],
      ]
    ]))
    error_message = "alarms must have cpu, errors and memory from 1 to 100 and p99_milliseconds of at least 1."
  }
}

variable "architecture" {
  description = "Processor architecture of the image: `arm64` or `x86_64`."
  type        = string
  default     = "x86_64"
  nullable    = false
}

variable "assign_public_ip" {
  description = "Whether tasks get a public IP address. In public subnets they need one to pull their image."
  type        = bool
  default     = false
  nullable    = false
}

variable "autoscaling" {
  description = <<-EOT
    Bounds of the number of tasks, and targets to keep: average `cpu` and `memory` in percent, and `requests_per_target`
    a minute. `schedule` sets other bounds at certain times, by name. Null for a fixed `desired_count`.
  EOT
  type = object({
    cpu                 = optional(number, 60)
    max                 = number
    memory              = optional(number)
    min                 = number
    requests_per_target = optional(number)
    schedule = optional(map(object({
      expression = string
      max        = number
      min        = number
      time_zone  = optional(string, "UTC")
    })), {})
  })
  default = null

  validation {
    condition     = var.autoscaling == null || (!var.one_off && var.schedule == null)
    error_message = "autoscaling must be null with one_off or schedule, whose tasks run to completion."
  }

  validation {
    condition = alltrue(flatten([
      for target in var.autoscaling[*] : [
        target.min >= 0, target.max >= max(target.min, 1),
        floor(target.min) == target.min, floor(target.max) == target.max,
        [for percent in [target.cpu, target.memory] : percent >= 1 && percent <= 100 if percent != null],
      ]
    ]))
    error_message = "autoscaling must have whole numbers 0 <= min <= max, max at least 1, cpu and memory from 1 to 100."
  }

  validation {
    condition = alltrue([
      for bounds in try(var.autoscaling.schedule, {}) :
      can(regex("^(at|cron|rate)[(].+[)]$", bounds.expression)) && bounds.min >= 0 && bounds.max >= bounds.min
    ])
    error_message = "Each schedule of autoscaling must be at(...), cron(...) or rate(...) with 0 <= min <= max."
  }
}

variable "capacity_providers" {
  description = "Share of the tasks (`weight`) and minimum number of tasks (`base`), by capacity provider."
  type        = map(object({ base = optional(number, 0), weight = number }))
  default     = { FARGATE = { weight = 1 } }
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.capacity_providers), ["FARGATE", "FARGATE_SPOT"])) == 0
    error_message = "The keys of capacity_providers must be one or both of: FARGATE, FARGATE_SPOT."
  }

  validation {
    condition = (
      max(0, values(var.capacity_providers)[*].weight...) > 0
      && length([for share in var.capacity_providers : share if share.base > 0]) <= 1
    )
    error_message = "capacity_providers must have a weight above 0, and a base above 0 at most once."
  }
}

variable "cluster_arn" {
  description = "ARN of the ECS cluster. It also determines the service's region and account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:ecs:[^:]+:[0-9]{12}:cluster/[^/]+$", var.cluster_arn))
    error_message = "cluster_arn must look like arn:aws:ecs:<region>:<account>:cluster/<name>."
  }
}

variable "containers" {
  description = <<-EOT
    Containers of a task, by name. The service's own is named like `service`. It gets the variable `PORT` if `port` is
    set.
  EOT
  type = map(object({
    command     = optional(list(string))
    cpu         = optional(number, 0)
    depends_on  = optional(map(string), {})
    entry_point = optional(list(string))
    environment = optional(map(string), {})
    essential   = optional(bool, true)
    health_check = optional(object({
      command      = list(string)
      interval     = optional(number, 30)
      retries      = optional(number, 3)
      start_period = optional(number, 10)
      timeout      = optional(number, 5)
    }))
    image  = string
    memory = optional(number)
    mounts = optional(map(object({ container_path = string, read_only = optional(bool, false) })), {})
    ports = optional(map(object({
      app_protocol   = optional(string)
      container_port = number
      protocol       = optional(string, "tcp")
    })), {})
    read_only = optional(bool, true)
    secrets = optional(map(object({
      json_key  = optional(string)
      parameter = optional(string)
      secret    = optional(string)
    })), {})
    stop_timeout = optional(number, 30)
    ulimits      = optional(map(object({ hard_limit = number, soft_limit = number })), {})
    user         = optional(string)
  }))
  nullable = false

  validation {
    condition = contains(keys(var.containers), var.service) && alltrue([
      for name in keys(var.containers) : can(regex("^[A-Za-z0-9_-]{1,255}$", name))
    ])
    error_message = "The keys of containers must include ${var.service}, and be at most 255 letters, digits, - and _."
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        can(regex("^[^[:space:]]+$", container.image)),
        can(regex("^[0-9A-Za-z_.][0-9A-Za-z_.-]*(:[0-9A-Za-z_.][0-9A-Za-z_.-]*)?$", coalesce(container.user, "0"))),
        container.stop_timeout >= 2, container.stop_timeout <= 120,
        floor(container.stop_timeout) == container.stop_timeout,
      ]
    ]))
    error_message = join(" ", [
      "Each container must have an image without spaces, a stop_timeout from 2 to 120 whole seconds,",
      "and a user, if any, or user:group by name or number.",
    ])
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        for name in concat(keys(container.environment), keys(container.secrets)) :
        can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))
      ]
    ]))
    error_message = "The keys of environment and secrets must be letters, digits and _, beginning with no digit."
  }

  validation {
    condition = alltrue([
      for container in var.containers :
      length(setintersection(keys(container.environment), keys(container.secrets))) == 0
    ])
    error_message = "A container's variable must be in environment or in secrets, not in both."
  }

  validation {
    condition = var.port == null || !anytrue([
      can(var.containers[var.service].environment["PORT"]), can(var.containers[var.service].secrets["PORT"])
    ])
    error_message = "The service's own container must not have PORT when port is set: the module adds it."
  }

  # https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
  validation {
    condition = alltrue([
      for secret in flatten([for container in var.containers : values(container.secrets)]) :
      (secret.parameter == null) != (secret.secret == null) && (secret.json_key == null || secret.secret != null)
      && !can(regex("^[^:]+-[A-Za-z0-9]{6}$", secret.secret))
    ])
    error_message = "Each secret needs a parameter, or a secret (with json_key); names like x-123456 need the full ARN."
  }

  validation {
    condition = alltrue([
      for check in values(var.containers)[*].health_check : check == null ? true : alltrue([
        contains(["CMD", "CMD-SHELL"], try(check.command[0], "")), length(check.command) > 1,
        check.interval >= 5, check.interval <= 300, check.timeout >= 2, check.timeout <= 60,
        check.retries >= 1, check.retries <= 10, check.start_period >= 0, check.start_period <= 300,
      ])
    ])
    error_message = join(" ", [
      "Each health_check must have a command of CMD or CMD-SHELL and what to run, interval from 5 to 300,",
      "timeout from 2 to 60, retries from 1 to 10 and start_period from 0 to 300.",
    ])
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        for other, condition in container.depends_on :
        contains(keys(var.containers), other) && contains(["start", "complete", "success", "healthy"], condition)
      ]
    ]))
    error_message = "depends_on of each container must be start, complete, success or healthy, by container."
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        for volume, mount in container.mounts :
        contains(keys(var.volumes), volume) && can(regex("^/[^[:space:]:]*$", mount.container_path))
      ]
    ]))
    error_message = "Each mount needs a key of volumes and an absolute container_path without spaces or colons."
  }

  validation {
    condition = alltrue([
      for port in flatten([for container in var.containers : values(container.ports)]) : alltrue([
        port.container_port >= 1, port.container_port <= 65535, floor(port.container_port) == port.container_port,
        contains(["tcp", "udp"], port.protocol),
        contains(["http", "http2", "grpc"], coalesce(port.app_protocol, "http")),
      ])
    ])
    error_message = "Each port needs a container_port 1-65535, protocol tcp or udp, app_protocol http, http2 or grpc."
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        for name, limit in container.ulimits :
        name == "nofile" && limit.soft_limit >= 0 && limit.soft_limit <= limit.hard_limit
      ]
    ]))
    error_message = "ulimits must only have nofile, as on Fargate, with a soft_limit from 0 to its hard_limit."
  }
}

variable "cpu" {
  description = "CPU units of a task; 1024 are one vCPU."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = contains(keys(local.fargate_memory), tostring(var.cpu))
    error_message = "cpu must be one of: 256, 512, 1024, 2048, 4096, 8192, 16384."
  }
}

variable "deployment_alarms" {
  description = "Names of CloudWatch alarms that roll a deployment back."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "deployment_circuit_breaker" {
  description = "Whether to roll a deployment back when its tasks do not become healthy."
  type        = bool
  default     = true
  nullable    = false
}

variable "deployment_maximum_percent" {
  description = "Maximum number of tasks during a deployment, in percent of `desired_count`."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.deployment_maximum_percent > 100 && var.deployment_maximum_percent <= 200
    error_message = "deployment_maximum_percent must be from 101 to 200, as zone rebalancing needs more than 100."
  }
}

variable "deployment_minimum_healthy_percent" {
  description = "Minimum number of healthy tasks during a deployment, in percent of `desired_count`."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.deployment_minimum_healthy_percent >= 0 && var.deployment_minimum_healthy_percent <= 100
    error_message = "deployment_minimum_healthy_percent must be from 0 to 100."
  }
}

variable "desired_count" {
  description = "Number of tasks. Ignored with `autoscaling`, which starts at its `min`."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.desired_count >= 0 && floor(var.desired_count) == var.desired_count
    error_message = "desired_count must be a whole number from 0."
  }
}

variable "discovery_record_type" {
  description = "Type of the discovery service's DNS records: A for addresses, SRV for addresses and ports."
  type        = string
  default     = "A"
  nullable    = false

  validation {
    condition     = contains(["A", "SRV"], var.discovery_record_type)
    error_message = "discovery_record_type must be one of: A, SRV."
  }
}

variable "discovery_service_arn" {
  description = "ARN of the Cloud Map service to register tasks with; null for none. A change starts new tasks."
  type        = string
  default     = null
}

variable "ephemeral_storage" {
  description = "GiB of ephemeral storage of a task, from 21 to 200; null for Fargate's 20."
  type        = number
  default     = null
}

variable "exec_log_group_arn" {
  description = "ARN of the cluster's log group for ECS Exec; null forbids ECS Exec."
  type        = string
  default     = null
}

variable "force_new_deployment" {
  description = <<-EOT
    Whether every update of the ECS service starts new tasks. The provider needs it to change `capacity_providers` in
    place: version 5 replaces the service without it, later ones refuse the plan.
  EOT
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key for logs, secrets, the schedule and ECS Exec; null for AWS's own keys."
  type        = string
  default     = null
}

variable "launch_type" {
  description = <<-EOT
    `FARGATE` for an ECS service that was created with this launch type instead of capacity providers, which then have
    no effect. AWS cannot change one into the other, so a change replaces the service.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.launch_type == null || var.launch_type == "FARGATE"
    error_message = "launch_type must be null or FARGATE."
  }
}

variable "load_balancer" {
  description = <<-EOT
    Listener that forwards requests for these `paths` and `hosts`, lower priorities first, and its health check.
    `port` defaults to the service's. Null for no load balancer.
  EOT
  type = object({
    deregistration_delay = optional(number, 30)
    health_check = optional(object({
      interval = optional(number, 30)
      path     = optional(string, "/")
      timeout  = optional(number, 5)
    }), {})
    hosts        = optional(list(string), [])
    listener_arn = string
    paths        = optional(list(string), [])
    port         = optional(number)
    priority     = number
    vpc_id       = string
  })
  default = null

  validation {
    condition = try(
      contains(range(1, 6), length(concat(var.load_balancer.hosts, var.load_balancer.paths))),
      var.load_balancer == null,
    )
    error_message = "load_balancer must have 1 to 5 paths and hosts in total."
  }
}

variable "log_max_buffer_size_mib" {
  description = "MiB of output to buffer per container with `log_mode` `non-blocking`; null for AWS's 10."
  type        = number
  default     = null

  validation {
    condition     = var.log_max_buffer_size_mib == null || var.log_mode == "non-blocking"
    error_message = "log_max_buffer_size_mib must be null unless log_mode is non-blocking."
  }
}

variable "log_mode" {
  description = "Whether containers wait until output is delivered (`blocking`) or may lose some (`non-blocking`)."
  type        = string
  default     = "blocking"
  nullable    = false

  validation {
    condition     = contains(["blocking", "non-blocking"], var.log_mode)
    error_message = "log_mode must be one of: blocking, non-blocking."
  }
}

variable "log_retention_in_days" {
  description = "Days to keep logs."
  type        = number
  default     = 365
  nullable    = false
}

variable "log_routing" {
  description = <<-EOT
    Options of the Fluent Bit output to which the container `log_router` sends the others' output, through FireLens.
    Empty for CloudWatch Logs.
  EOT
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.log_routing) == 0 || contains(keys(var.containers), "log_router")
    error_message = "log_routing must be empty unless containers has log_router."
  }
}

variable "memory" {
  description = "Memory of a task in MiB. Fargate supports certain values for each `cpu`."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition = contains(lookup(local.fargate_memory, tostring(var.cpu), [var.memory]), var.memory)
    error_message = join(" ", [
      "memory with cpu ${var.cpu} must be one of:",
      "${join(", ", lookup(local.fargate_memory, tostring(var.cpu), []))}.",
    ])
  }
}

variable "name" {
  description = "Name of the service: `<application>-<environment>-<service>`."
  type        = string
  nullable    = false

  # AWS limits the names of roles to 64 characters, and the module adds `-execution`.
  validation {
    condition     = length(var.name) <= 54 && can(regex("^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", var.name))
    error_message = "name must be at most 54 characters: lower-case words of letters and digits, joined by - or _."
  }
}

variable "one_off" {
  description = "Whether tasks only run on demand, with the output `run_task`, instead of in an ECS service."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.one_off && var.schedule != null)
    error_message = "one_off must be false with schedule."
  }
}

variable "port" {
  description = "TCP port that the service's container listens on; null for none."
  type        = number
  default     = null

  validation {
    condition     = try(var.port >= 1 && var.port <= 65535 && floor(var.port) == var.port, var.port == null)
    error_message = "port must be a whole number from 1 to 65535."
  }
}

variable "repository_arn" {
  description = "ARN of the ECR repository of the service's own image; null for a public image."
  type        = string
  default     = null
}

variable "schedule" {
  description = <<-EOT
    When to start a task, and how often (`retries`) and for how many seconds (`maximum_event_age`) to retry a failed
    start. Null for an ECS service, which keeps tasks running.
  EOT
  type = object({
    expression        = string
    maximum_event_age = optional(number, 3600)
    retries           = optional(number, 3)
    time_zone         = optional(string, "UTC")
  })
  default = null

  validation {
    condition     = var.schedule == null || can(regex("^(at|cron|rate)[(].+[)]$", var.schedule.expression))
    error_message = "expression of schedule must be at(...), cron(...) or rate(...)."
  }
}

variable "security_group_ids" {
  description = "IDs of the tasks' security groups."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.security_group_ids) >= 1 && length(var.security_group_ids) <= 5
    error_message = "security_group_ids must be 1 to 5 security groups."
  }
}

variable "service" {
  description = "Name of the service, and of its own container."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.service))
    error_message = "service must be a DNS label: at most 63 lower-case letters, digits and inner hyphens."
  }
}

variable "service_connect" {
  description = <<-EOT
    Namespace of Service Connect. A service that others call has a `server`: its DNS name, one of its ports by name
    (null for `port`), and the proxy's timeouts in seconds, 0 for none. Null for no Service Connect.
  EOT
  type = object({
    namespace_arn = string
    server = optional(object({
      dns_name        = string
      idle_timeout    = optional(number)
      port_name       = optional(string)
      request_timeout = optional(number)
    }))
  })
  default = null

  validation {
    condition = (
      try(var.service_connect.server.port_name, null) != null
      ? can(var.containers[var.service].ports[var.service_connect.server.port_name])
      : try(var.service_connect.server, null) == null || var.port != null
    )
    error_message = "service_connect with a server needs port, or a port_name of the service's own container."
  }
}

variable "start_after" {
  description = <<-EOT
    Names of ECS services to create or update before this one. With Service Connect, tasks find only services that
    existed when they started.
  EOT
  type        = list(string)
  default     = []
  nullable    = false
}

variable "subnet_ids" {
  description = "IDs of the tasks' subnets."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 1 && length(var.subnet_ids) <= 16
    error_message = "subnet_ids must be 1 to 16 subnets."
  }
}

variable "tags" {
  description = "Tags of the service's resources and tasks, in addition to the provider's."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "task_role" {
  description = "AWS permissions of the containers: statements of an inline policy, and ARNs of managed policies."
  type = object({
    policies = optional(set(string), [])
    statements = optional(list(object({
      actions    = list(string)
      conditions = optional(list(object({ test = string, values = list(string), variable = string })), [])
      effect     = optional(string, "allow")
      resources  = list(string)
      sid        = optional(string)
    })), [])
  })
  default  = {}
  nullable = false
}

variable "volumes" {
  description = "Volumes that containers mount, by name: on EFS, or otherwise the task's own, deleted with it."
  type = map(object({
    efs = optional(object({
      access_point_id = optional(string)
      file_system_id  = string
      iam             = optional(bool, false)
      root_directory  = optional(string, "/")
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for volume in var.volumes :
      try(volume.efs.access_point_id == null || volume.efs.root_directory == "/", volume.efs == null)
    ])
    error_message = "root_directory of each EFS volume with an access_point_id must be /: the access point sets it."
  }
}

variable "wait_for_steady_state" {
  description = "Whether an apply waits for the new tasks to run, and fails if they do not."
  type        = bool
  default     = true
  nullable    = false
}
