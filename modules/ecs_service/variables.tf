variable "alarms" {
  description = "What is too much: CPU, memory and the load balancer's requests that end in an error in percent, and its slowest response in a hundred; whether fewer tasks than wanted are, which Container Insights counts (`running`); the SNS topics that are told. Null for no alarms."
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
      for alarms in var.alarms[*] : [for percent in [alarms.cpu, alarms.errors, alarms.memory] : percent >= 1 && percent <= 100]
    ]))
    error_message = "cpu, errors and memory of alarms must be from 1 to 100."
  }

  validation {
    condition     = try(var.alarms.p99_milliseconds >= 1, var.alarms == null)
    error_message = "p99_milliseconds of alarms must be at least 1."
  }
}

variable "architecture" {
  description = "Processor architecture that the image is built for."
  type        = string
  default     = "x86_64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be one of: arm64, x86_64."
  }
}

variable "assign_public_ip" {
  description = "Whether tasks get a public address; in public subnets they need one to pull their image."
  type        = bool
  default     = false
  nullable    = false
}

variable "autoscaling" {
  description = "Bounds of the number of tasks, other bounds from certain times on (`schedule`, by name), and what to keep: the average CPU and memory use, in percent, and the requests a minute to each task; null for a fixed `desired_count`."
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
    condition     = var.autoscaling == null || var.schedule == null
    error_message = "autoscaling must be null with schedule: tasks run to their end."
  }

  validation {
    condition = try(
      var.autoscaling.min >= 0 && var.autoscaling.max >= max(var.autoscaling.min, 1)
      && floor(var.autoscaling.min) == var.autoscaling.min && floor(var.autoscaling.max) == var.autoscaling.max,
      var.autoscaling == null,
    )
    error_message = "autoscaling must have whole numbers with 0 <= min <= max and max at least 1."
  }

  validation {
    condition = alltrue([
      for use in [try(var.autoscaling.cpu, null), try(var.autoscaling.memory, null)] :
      coalesce(use, 1) >= 1 && coalesce(use, 1) <= 100
    ])
    error_message = "cpu and memory of autoscaling must be from 1 to 100."
  }

  validation {
    condition = alltrue([
      for bounds in try(var.autoscaling.schedule, {}) :
      can(regex("^(at|cron|rate)[(].+[)]$", bounds.expression)) && bounds.min >= 0 && bounds.max >= bounds.min
    ])
    error_message = "Each schedule of autoscaling must have an expression at(...), cron(...) or rate(...) and 0 <= min <= max."
  }
}

variable "capacity_providers" {
  description = "Share of the tasks (`weight`) and least number of tasks (`base`) by capacity provider."
  type = map(object({
    base   = optional(number, 0)
    weight = number
  }))
  default  = { FARGATE = { weight = 1 } }
  nullable = false

  validation {
    condition = (
      length(var.capacity_providers) > 0
      && length(setsubtract(keys(var.capacity_providers), ["FARGATE", "FARGATE_SPOT"])) == 0
    )
    error_message = "The keys of capacity_providers must be one or both of: FARGATE, FARGATE_SPOT."
  }

  validation {
    condition = (
      alltrue([for provider in var.capacity_providers : provider.weight >= 0 && provider.weight <= 1000])
      && anytrue([for provider in var.capacity_providers : provider.weight > 0])
    )
    error_message = "weight of each of capacity_providers must be from 0 to 1000, and at least one above 0."
  }

  validation {
    condition = (
      alltrue([for provider in var.capacity_providers : provider.base >= 0 && provider.base <= 100000])
      && length([for provider in var.capacity_providers : provider if provider.base > 0]) <= 1
    )
    error_message = "base of each of capacity_providers must be from 0 to 100000, and only one may be above 0."
  }
}

variable "cluster_arn" {
  description = "ARN of the ECS cluster; the service's region and account are read from it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:ecs:[^:]+:[0-9]{12}:cluster/[^/]+$", var.cluster_arn))
    error_message = "cluster_arn must look like arn:aws:ecs:<region>:<account>:cluster/<name>."
  }
}

variable "containers" {
  description = "The task's containers by name: the service's own, which is called as `service`, and those beside it. `PORT` is added to the service's own when `port` is set."
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
    mounts = optional(map(object({
      container_path = string
      read_only      = optional(bool, false)
    })), {})
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
    ulimits = optional(map(object({
      hard_limit = number
      soft_limit = number
    })), {})
    user = optional(string)
  }))
  nullable = false

  validation {
    condition     = contains(keys(var.containers), var.service)
    error_message = "containers must have ${var.service}, the service's own."
  }

  validation {
    condition     = alltrue([for name in keys(var.containers) : can(regex("^[A-Za-z0-9_-]{1,255}$", name))])
    error_message = "The keys of containers must be at most 255 letters, digits, hyphens and underscores."
  }

  validation {
    condition     = alltrue([for container in var.containers : can(regex("^[^[:space:]]+$", container.image))])
    error_message = "image of each container must be the name of an image, without spaces."
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        for name in concat(keys(container.environment), keys(container.secrets)) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))
      ]
    ]))
    error_message = "The keys of environment and secrets must be letters, digits and underscores and must not start with a digit."
  }

  validation {
    condition     = alltrue([for container in var.containers : length(setintersection(keys(container.environment), keys(container.secrets))) == 0])
    error_message = "A variable of a container must be in one of environment and secrets."
  }

  validation {
    condition     = var.port == null || !can(merge(var.containers[var.service].environment, var.containers[var.service].secrets)["PORT"])
    error_message = "The service's own container must not have PORT when port is set: it is added."
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        for secret in container.secrets : (secret.parameter == null) != (secret.secret == null) && (secret.json_key == null || secret.secret != null)
      ]
    ]))
    error_message = "Each of secrets must have a parameter, or a secret and perhaps its json_key."
  }

  # https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        for secret in container.secrets : !can(regex("^[^:]+-[A-Za-z0-9]{6}$", secret.secret))
      ]
    ]))
    error_message = "secret of each of secrets must be an ARN where its name ends with a hyphen and six characters: Secrets Manager takes them for its own."
  }

  validation {
    condition = alltrue([
      for container in var.containers :
      try(contains(["CMD", "CMD-SHELL"], container.health_check.command[0]) && length(container.health_check.command) > 1, container.health_check == null)
    ])
    error_message = "command of each health_check must be CMD or CMD-SHELL and what to run."
  }

  validation {
    condition = alltrue([
      for container in var.containers : try(
        container.health_check.interval >= 5 && container.health_check.interval <= 300
        && container.health_check.timeout >= 2 && container.health_check.timeout <= 60
        && container.health_check.retries >= 1 && container.health_check.retries <= 10
        && container.health_check.start_period >= 0 && container.health_check.start_period <= 300,
        container.health_check == null,
      )
    ])
    error_message = "Each health_check must have interval from 5 to 300, timeout from 2 to 60, retries from 1 to 10 and start_period from 0 to 300."
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        for other, condition in container.depends_on :
        contains(keys(var.containers), other) && contains(["start", "complete", "success", "healthy"], condition)
      ]
    ]))
    error_message = "depends_on of each container must be start, complete, success or healthy for other containers."
  }

  validation {
    condition = alltrue([
      for container in var.containers : length(setsubtract(keys(container.mounts), keys(var.volumes))) == 0
    ])
    error_message = "The keys of mounts must be those of volumes."
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [for mount in container.mounts : can(regex("^/[^[:space:]:]*$", mount.container_path))]
    ]))
    error_message = "container_path of each of mounts must be an absolute path without spaces and colons."
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [
        for port in container.ports :
        port.container_port >= 1 && port.container_port <= 65535 && floor(port.container_port) == port.container_port
        && contains(["tcp", "udp"], port.protocol)
        && (port.app_protocol == null ? true : contains(["http", "http2", "grpc"], port.app_protocol))
      ]
    ]))
    error_message = "Each of ports must have a container_port from 1 to 65535, a protocol of tcp or udp, and an app_protocol, if any, of http, http2 or grpc."
  }

  validation {
    condition = alltrue([
      for container in var.containers :
      container.stop_timeout >= 2 && container.stop_timeout <= 120 && floor(container.stop_timeout) == container.stop_timeout
    ])
    error_message = "stop_timeout of each container must be a whole number of seconds from 2 to 120."
  }

  validation {
    condition     = alltrue([for container in var.containers : length(setsubtract(keys(container.ulimits), ["nofile"])) == 0])
    error_message = "The keys of ulimits must be nofile: Fargate has no other."
  }

  validation {
    condition = alltrue(flatten([
      for container in var.containers : [for limit in container.ulimits : limit.soft_limit >= 0 && limit.soft_limit <= limit.hard_limit]
    ]))
    error_message = "soft_limit of each of ulimits must be from 0 to its hard_limit."
  }

  validation {
    condition = alltrue([
      for container in var.containers :
      container.user == null || can(regex("^[0-9A-Za-z_.][0-9A-Za-z_.-]*(:[0-9A-Za-z_.][0-9A-Za-z_.-]*)?$", container.user))
    ])
    error_message = "user of each container must be a user, or user:group, by name or number."
  }
}

variable "cpu" {
  description = "CPU units of a task, 1024 for one vCPU."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = contains(keys(local.fargate_memory), tostring(var.cpu))
    error_message = "cpu must be one of: 256, 512, 1024, 2048, 4096, 8192, 16384."
  }
}

variable "deployment_alarms" {
  description = "CloudWatch alarms, by name, that roll a deployment back."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "deployment_circuit_breaker" {
  description = "Whether a deployment is given up and rolled back when its tasks do not become healthy."
  type        = bool
  default     = true
  nullable    = false
}

variable "deployment_maximum_percent" {
  description = "Most tasks that a deployment may run, in percent of `desired_count`."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.deployment_maximum_percent > 100 && var.deployment_maximum_percent <= 200
    error_message = "deployment_maximum_percent must be from 101 to 200: rebalancing between zones starts a task before it stops one."
  }
}

variable "deployment_minimum_healthy_percent" {
  description = "Fewest healthy tasks that a deployment keeps, in percent of `desired_count`."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.deployment_minimum_healthy_percent >= 0 && var.deployment_minimum_healthy_percent <= 100
    error_message = "deployment_minimum_healthy_percent must be from 0 to 100."
  }
}

variable "desired_count" {
  description = "Number of tasks; not used with `autoscaling`, which starts at its `min`."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.desired_count >= 0 && floor(var.desired_count) == var.desired_count
    error_message = "desired_count must be a whole number from 0."
  }
}

variable "discovery_record_type" {
  description = "Type of the discovery service's DNS records: A, or SRV, with which tasks register their port too."
  type        = string
  default     = "A"
  nullable    = false

  validation {
    condition     = contains(["A", "SRV"], var.discovery_record_type)
    error_message = "discovery_record_type must be one of: A, SRV."
  }
}

variable "discovery_service_arn" {
  description = "ARN of the service discovery service that tasks register with; null for none. Another one replaces the ECS service."
  type        = string
  default     = null
}

variable "ephemeral_storage" {
  description = "GiB of storage that a task has and loses; null for Fargate's 20."
  type        = number
  default     = null

  validation {
    condition     = try(var.ephemeral_storage >= 21 && var.ephemeral_storage <= 200 && floor(var.ephemeral_storage) == var.ephemeral_storage, var.ephemeral_storage == null)
    error_message = "ephemeral_storage must be a whole number of GiB from 21 to 200."
  }
}

variable "exec_log_group_arn" {
  description = "ARN of the log group that the cluster writes what ECS Exec does to; null forbids ECS Exec."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that logs, secrets, the schedule and shells of ECS Exec are encrypted with; null for AWS's own keys."
  type        = string
  default     = null
}

variable "log_max_buffer_size_mib" {
  description = "MiB of each container's output that are kept before some is lost, where `log_mode` is `non-blocking`; null for AWS's 10."
  type        = number
  default     = null

  validation {
    condition     = var.log_max_buffer_size_mib == null || var.log_mode == "non-blocking"
    error_message = "log_max_buffer_size_mib must be null unless log_mode is non-blocking."
  }
}

variable "log_mode" {
  description = "Whether a container waits when its output cannot be taken (`blocking`), or some is lost (`non-blocking`)."
  type        = string
  default     = "blocking"
  nullable    = false

  validation {
    condition     = contains(["blocking", "non-blocking"], var.log_mode)
    error_message = "log_mode must be one of: blocking, non-blocking."
  }
}

variable "load_balancer" {
  description = "Listener that sends requests for these paths and hosts here, lower priorities first, and how it asks whether a task is healthy; `port` null for the service's; null for none."
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
    condition     = try(contains(range(1, 6), length(concat(var.load_balancer.hosts, var.load_balancer.paths))), var.load_balancer == null)
    error_message = "load_balancer must have 1 to 5 paths and hosts in all."
  }

  validation {
    condition     = try(var.load_balancer.priority >= 1 && var.load_balancer.priority <= 50000, var.load_balancer == null)
    error_message = "priority of load_balancer must be from 1 to 50000."
  }
}

variable "log_retention_in_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_in_days,
    )
    error_message = "log_retention_in_days must be one of: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "log_routing" {
  description = "Options of the Fluent Bit output that gets the containers' output from the container `log_router`, through FireLens; none for CloudWatch Logs."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.log_routing) == 0 || contains(keys(var.containers), "log_router")
    error_message = "log_routing must be empty unless containers has log_router."
  }
}

variable "memory" {
  description = "Memory of a task in MiB; Fargate allows certain values for each `cpu`."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = contains(lookup(local.fargate_memory, tostring(var.cpu), [var.memory]), var.memory)
    error_message = "memory with cpu ${var.cpu} must be one of: ${join(", ", lookup(local.fargate_memory, tostring(var.cpu), []))}."
  }
}

variable "name" {
  description = "Name of the service: `<application>-<environment>-<service>`."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.name) <= 54 && can(regex("^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", var.name))
    error_message = "name must be at most 54 characters, lower-case words of letters and digits, joined by - or _: AWS allows roles 64 characters, and `-execution` is added."
  }
}

variable "one_off" {
  description = "Whether nothing keeps or starts tasks: one is run by hand or by a pipeline, with what `run_task` says."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.one_off && (var.schedule != null || var.autoscaling != null))
    error_message = "one_off must be false with schedule or autoscaling."
  }
}

variable "port" {
  description = "TCP port that the container listens on; null for none."
  type        = number
  default     = null

  validation {
    condition     = try(var.port >= 1 && var.port <= 65535 && floor(var.port) == var.port, var.port == null)
    error_message = "port must be a whole number from 1 to 65535."
  }
}

variable "repository_arn" {
  description = "ARN of the ECR repository that the service's own image is pulled from; null for a public image."
  type        = string
  default     = null
}

variable "schedule" {
  description = "When a task is started, how often a start that failed is tried again and for how many seconds; null for an ECS service that keeps tasks running."
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

  validation {
    condition = try(
      var.schedule.retries >= 0 && var.schedule.retries <= 185
      && var.schedule.maximum_event_age >= 60 && var.schedule.maximum_event_age <= 86400,
      var.schedule == null,
    )
    error_message = "schedule must have retries from 0 to 185 and maximum_event_age from 60 to 86400."
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
  description = "The service's own name, which its container takes."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.service))
    error_message = "service must be a DNS label: at most 63 lower-case letters, digits and hyphens, no hyphen first or last."
  }
}

variable "service_connect" {
  description = "Namespace of Service Connect; ECS services that have to be there before tasks start, or these do not find them (`after`); for a service that others call, the name that they use, which of its ports by name (`port_name`; null for `port`) and the proxy's timeouts in seconds, 0 for none. Null for no Service Connect."
  type = object({
    after         = optional(list(string), [])
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
    condition     = try(var.service_connect.server.port_name, null) == null ? try(var.service_connect.server, null) == null || var.port != null : can(var.containers[var.service].ports[var.service_connect.server.port_name])
    error_message = "service_connect with a server needs port, or a port_name of one of the service's own ports."
  }
}

variable "subnet_ids" {
  description = "IDs of the subnets that tasks run in."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 1 && length(var.subnet_ids) <= 16
    error_message = "subnet_ids must be 1 to 16 subnets."
  }
}

variable "tags" {
  description = "Tags of the service's resources and tasks, over the provider's."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "task_role" {
  description = "What the containers may do with AWS: statements of a policy of their own, and managed policies by ARN."
  type = object({
    policies = optional(set(string), [])
    statements = optional(list(object({
      actions = list(string)
      conditions = optional(list(object({
        test     = string
        values   = list(string)
        variable = string
      })), [])
      effect    = optional(string, "allow")
      resources = list(string)
      sid       = optional(string)
    })), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for statement in var.task_role.statements : contains(["allow", "deny"], statement.effect)])
    error_message = "effect of each statement of task_role must be one of: allow, deny."
  }
}

variable "volumes" {
  description = "Folders that containers mount, by name: on an EFS file system, or else the task's own, gone when the task is."
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
    condition     = alltrue([for volume in var.volumes : try(volume.efs.access_point_id == null || volume.efs.root_directory == "/", volume.efs == null)])
    error_message = "root_directory of each EFS volume with an access_point_id must be /: the access point sets the folder."
  }
}

variable "wait_for_steady_state" {
  description = "Whether an apply waits until the new tasks run and fails when they do not."
  type        = bool
  default     = true
  nullable    = false
}
