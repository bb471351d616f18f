variable "namespace" {
  description = "DNS name of the private namespace; a service answers to `<service>.<namespace>` inside the VPC."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.namespace) <= 253 && can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$", var.namespace))
    error_message = "namespace must be a DNS name of at most 253 characters: labels of lower-case letters, digits and hyphens with dots between them."
  }
}

variable "services" {
  description = "Services to find by name; `ttl` is for how many seconds a caller may cache an address."
  type        = map(object({ ttl = optional(number, 10) }))
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.services) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", key))])
    error_message = "The keys of services must be DNS labels: at most 63 lower-case letters, digits and hyphens, no hyphen first or last."
  }

  validation {
    condition     = alltrue([for service in var.services : service.ttl >= 0 && service.ttl <= 2147483647 && floor(service.ttl) == service.ttl])
    error_message = "ttl of each service must be a whole number of seconds from 0 to 2147483647."
  }
}

variable "vpc_id" {
  description = "ID of the VPC in which the names resolve; it needs DNS support and DNS host names."
  type        = string
  nullable    = false
}
