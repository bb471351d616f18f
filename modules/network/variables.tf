variable "cidr_block" {
  description = "IPv4 range of the VPC."
  type        = string
  nullable    = false

  validation {
    condition     = try(cidrsubnet(var.cidr_block, 0, 0) == var.cidr_block && cidrnetmask(var.cidr_block) != "", false)
    error_message = "cidr_block must be an IPv4 network address with its prefix, for example 10.0.0.0/16."
  }

  validation {
    condition     = try(tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 28, false)
    error_message = "cidr_block must have a prefix of /16 to /28."
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

variable "public_subnets" {
  description = "Public subnets by key; the key ends the subnet's name."
  type = map(object({
    availability_zone = string
    cidr_block        = string
  }))
  nullable = false

  validation {
    condition     = alltrue([for key in keys(var.public_subnets) : can(regex("^[a-z][a-z0-9_]*$", key))])
    error_message = "The keys of public_subnets must be lower-case letters, digits and underscores and must start with a letter."
  }

  validation {
    condition     = alltrue([for subnet in var.public_subnets : can(regex("^[a-z]{2}-[a-z0-9-]+[0-9][a-z]$", subnet.availability_zone))])
    error_message = "availability_zone must be a zone's full name, for example ap-northeast-1a."
  }

  validation {
    condition = alltrue([
      for subnet in var.public_subnets : try(
        cidrsubnet(subnet.cidr_block, 0, 0) == subnet.cidr_block
        && tonumber(split("/", subnet.cidr_block)[1]) >= tonumber(split("/", var.cidr_block)[1])
        && tonumber(split("/", subnet.cidr_block)[1]) <= 28
        && cidrsubnet("${split("/", subnet.cidr_block)[0]}/${split("/", var.cidr_block)[1]}", 0, 0) == var.cidr_block,
        false,
      )
    ])
    error_message = "The cidr_block of each public subnet must be an IPv4 network address inside the VPC's cidr_block with a prefix of at most /28."
  }
}
