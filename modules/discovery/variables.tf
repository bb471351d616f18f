variable "namespace" {
  description = "DNS name of the namespace. A service is `<service>.<namespace>` inside the VPC."
  type        = string
  nullable    = false

  validation {
    condition = length(var.namespace) <= 253 && alltrue([
      for label in split(".", var.namespace) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", label))
    ])
    error_message = "namespace must be a DNS name: at most 253 lower-case letters, digits, hyphens and dots."
  }
}

variable "namespace_arn" {
  description = "ARN of an existing namespace; null to create one."
  type        = string
  default     = null

  validation {
    condition = (
      var.namespace_arn == null
      || can(regex("^arn:[^:]+:servicediscovery:[^:]+:[0-9]{12}:namespace/[^/]+$", var.namespace_arn))
    )
    error_message = "namespace_arn must look like arn:aws:servicediscovery:<region>:<account>:namespace/<id>."
  }
}

variable "services" {
  description = <<-EOT
    Services to find by name. `record_type` is A for addresses, or SRV for addresses and ports.
    `ttl` is how many seconds a caller may cache a record.
  EOT
  type        = map(object({ record_type = optional(string, "A"), ttl = optional(number, 10) }))
  nullable    = false

  validation {
    condition = alltrue([
      for service in var.services :
      contains(["A", "SRV"], service.record_type) && service.ttl >= 0 && floor(service.ttl) == service.ttl
    ])
    error_message = "Each service must have a record_type of A or SRV and a ttl of whole seconds from 0."
  }

  validation {
    condition = alltrue([
      for key in keys(var.services) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", key))
    ])
    error_message = "The keys of services must be DNS labels: at most 63 lower-case letters, digits and inner hyphens."
  }
}

variable "type" {
  description = "`dns` for a private DNS namespace, or `service_connect` for a namespace of ECS Service Connect."
  type        = string
  default     = "dns"
  nullable    = false

  validation {
    condition     = contains(length(var.services) == 0 ? ["dns", "service_connect"] : ["dns"], var.type)
    error_message = "type must be dns or service_connect, and dns with services: Service Connect registers its own."
  }
}

variable "vpc_id" {
  description = "ID of the VPC in which names resolve. It needs DNS support and DNS host names."
  type        = string
  nullable    = false
}
