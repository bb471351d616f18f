variable "namespace" {
  description = "DNS name of the namespace; a service answers to `<service>.<namespace>` inside the VPC."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.namespace) <= 253 && can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$", var.namespace))
    error_message = "namespace must be a DNS name of at most 253 characters: labels of lower-case letters, digits and hyphens with dots between them."
  }
}

variable "namespace_arn" {
  description = "ARN of a namespace that exists already; null for one of its own."
  type        = string
  default     = null

  validation {
    condition     = var.namespace_arn == null || can(regex("^arn:[^:]+:servicediscovery:[^:]+:[0-9]{12}:namespace/[^/]+$", var.namespace_arn))
    error_message = "namespace_arn must look like arn:aws:servicediscovery:<region>:<account>:namespace/<id>."
  }
}

variable "services" {
  description = "Services to find by name; `record_type` A leads to addresses, SRV to ports too; `ttl` is for how many seconds a caller may cache a record."
  type        = map(object({ record_type = optional(string, "A"), ttl = optional(number, 10) }))
  nullable    = false

  validation {
    condition     = alltrue([for service in var.services : contains(["A", "SRV"], service.record_type) && service.ttl >= 0 && floor(service.ttl) == service.ttl])
    error_message = "Each of services must have a record_type of A or SRV and a ttl of a whole number of seconds from 0."
  }

  validation {
    condition     = alltrue([for key in keys(var.services) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", key))])
    error_message = "The keys of services must be DNS labels: at most 63 lower-case letters, digits and hyphens, no hyphen first or last."
  }
}

variable "type" {
  description = "`dns`: a private DNS namespace. `service_connect`: one that ECS Service Connect keeps its services in."
  type        = string
  default     = "dns"
  nullable    = false

  validation {
    condition     = contains(length(var.services) == 0 ? ["dns", "service_connect"] : ["dns"], var.type)
    error_message = "type must be dns or service_connect, and with services dns: ECS itself keeps those of service_connect."
  }
}

variable "vpc_id" {
  description = "ID of the VPC in which the names resolve; it needs DNS support and DNS host names."
  type        = string
  nullable    = false
}
