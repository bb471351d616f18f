variable "egress" {
  description = <<-EOT
    Connections that each group may open, by a key such as `web->orders:8080`. Each has one of `to_group`, `to_cidr` and
    `to_prefix_list`, and a `port` unless its protocol is `-1`.
  EOT
  type = map(object({
    description    = string
    group          = string
    port           = optional(number)
    protocol       = optional(string, "tcp")
    to_cidr        = optional(string)
    to_group       = optional(string)
    to_prefix_list = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for rule in var.egress :
      length(compact([rule.to_group, rule.to_cidr, rule.to_prefix_list])) == 1
      && startswith(coalesce(rule.to_prefix_list, "pl-"), "pl-")
    ])
    error_message = "Each egress rule must have exactly one of to_group, to_cidr and to_prefix_list (pl-...)."
  }

  validation {
    condition = alltrue([
      for group in compact(flatten([for rule in var.egress : [rule.group, rule.to_group]])) :
      contains(keys(var.groups), group)
    ])
    error_message = "group and to_group of each egress rule must be one of: ${join(", ", keys(var.groups))}."
  }
}

variable "groups" {
  description = "Security groups by key; the key ends the group's name."
  type        = map(object({ description = string }))
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.groups) : can(regex("^[a-z][a-z0-9-]*$", key))])
    error_message = "The keys of groups must be lower-case letters, digits and hyphens, beginning with a letter."
  }

  validation {
    condition = alltrue([
      for group in var.groups : can(regex("^[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=&;{}!$*]{1,255}$", group.description))
    ])
    error_message = "description of each group must be 1 to 255 letters, digits, spaces or ._-:/()#,@[]+=&;{}!$*"
  }
}

# These validations cover both directions.
variable "ingress" {
  description = <<-EOT
    Connections that each group accepts, by a key such as `web->orders:8080`. Each has one of `from_group` and
    `from_cidr`, and a `port` unless its protocol is `-1`.
  EOT
  type = map(object({
    description = string
    from_cidr   = optional(string)
    from_group  = optional(string)
    group       = string
    port        = optional(number)
    protocol    = optional(string, "tcp")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for rule in var.ingress : length(compact([rule.from_group, rule.from_cidr])) == 1])
    error_message = "Each ingress rule must have exactly one of from_group and from_cidr."
  }

  validation {
    condition = alltrue([
      for group in compact(flatten([for rule in var.ingress : [rule.group, rule.from_group]])) :
      contains(keys(var.groups), group)
    ])
    error_message = "group and from_group of each ingress rule must be one of: ${join(", ", keys(var.groups))}."
  }

  validation {
    condition = alltrue([
      for rule in flatten([values(var.ingress), values(var.egress)]) : contains(["-1", "tcp", "udp"], rule.protocol)
    ])
    error_message = "protocol of each rule must be one of: -1 (all), tcp, udp."
  }

  validation {
    condition = alltrue([
      for rule in flatten([values(var.ingress), values(var.egress)]) : rule.protocol == "-1" ? rule.port == null : try(
        rule.port >= 1 && rule.port <= 65535 && floor(rule.port) == rule.port, false
      )
    ])
    error_message = "Each rule must have a port, a whole number from 1 to 65535, or protocol -1 and no port."
  }

  validation {
    condition = alltrue([
      for rule in flatten([values(var.ingress), values(var.egress)]) :
      can(regex("^[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=;{}!$*]{1,255}$", rule.description))
    ])
    error_message = "description of each rule must be 1 to 255 letters, digits, spaces or ._-:/()#,@[]+=;{}!$*"
  }
}

variable "name" {
  description = "Prefix of every name: `<application>-<environment>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", var.name))
    error_message = "name must be lower-case words of letters and digits, joined by - or _."
  }
}

variable "vpc_id" {
  description = "ID of the groups' VPC."
  type        = string
  nullable    = false
}
