variable "cidr_block" {
  description = "IPv4 range of the VPC."
  type        = string
  nullable    = false

  validation {
    condition = try(
      cidrsubnet(var.cidr_block, 0, 0) == var.cidr_block && can(regex("^[0-9.]+/(1[6-9]|2[0-8])$", var.cidr_block)),
      false,
    )
    error_message = "cidr_block must be an IPv4 network from /16 to /28, for example 10.0.0.0/16."
  }
}

variable "endpoint_security_group_ids" {
  description = "Security groups of the interface endpoints."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = (
      length(setsubtract(var.endpoints, ["dynamodb", "s3"])) == 0 || length(var.endpoint_security_group_ids) > 0
    )
    error_message = "endpoint_security_group_ids must have a group for endpoints other than dynamodb and s3."
  }
}

variable "endpoints" {
  description = <<-EOT
    AWS services that the private subnets reach inside the VPC, by the last part of the endpoint's name.
    `dynamodb` and `s3` get gateway endpoints.
  EOT
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for name in var.endpoints : can(regex("^[a-z0-9]+([.-][a-z0-9]+)*$", name)) && length(var.private_subnets) > 0
    ])
    error_message = "endpoints must be names such as ecr.api, and need private_subnets, where they are placed."
  }
}

variable "flow_logs" {
  description = "Logs all traffic in CloudWatch Logs; null for no flow logs."
  type        = object({ kms_key_arn = optional(string), retention_in_days = optional(number, 365) })
  default     = null
}

variable "name" {
  description = "Prefix of every name: `<application>-<environment>`."
  type        = string
  nullable    = false
}

variable "private_subnets" {
  description = <<-EOT
    Private subnets by key, which is the suffix of the subnet's name. `nat_subnet` is the public subnet whose NAT
    gateway leads to the internet; null for no way to the internet.
  EOT
  type        = map(object({ availability_zone = string, cidr_block = string, nat_subnet = optional(string) }))
  default     = {}
  nullable    = false
}

# These validations cover all subnets, as public ones are required.
variable "public_subnets" {
  description = "Public subnets by key, which is the suffix of the subnet's name."
  type        = map(object({ availability_zone = string, cidr_block = string }))
  nullable    = false

  validation {
    condition = alltrue([
      for subnet in var.private_subnets :
      contains(keys(var.public_subnets), subnet.nat_subnet) if subnet.nat_subnet != null
    ])
    error_message = "nat_subnet of each private subnet must be a key of public_subnets."
  }

  validation {
    condition = alltrue([
      for key in concat(keys(var.private_subnets), keys(var.public_subnets)) : can(regex("^[a-z][a-z0-9_]*$", key))
    ])
    error_message = "The keys of subnets must be lower-case letters, digits and underscores, beginning with a letter."
  }

  validation {
    condition = alltrue([
      for subnet in concat(values(var.private_subnets), values(var.public_subnets)) :
      can(regex("^[a-z]{2}-[a-z0-9-]+[0-9][a-z]$", subnet.availability_zone))
    ])
    error_message = "availability_zone of each subnet must be a zone's full name, such as ap-northeast-1a."
  }

  validation {
    condition = alltrue([
      for cidr in concat(values(var.private_subnets)[*].cidr_block, values(var.public_subnets)[*].cidr_block) : try(
        cidrsubnet(cidr, 0, 0) == cidr
        && tonumber(split("/", cidr)[1]) >= tonumber(split("/", var.cidr_block)[1])
        && tonumber(split("/", cidr)[1]) <= 28
        && cidrsubnet("${split("/", cidr)[0]}/${split("/", var.cidr_block)[1]}", 0, 0) == var.cidr_block,
        false,
      )
    ])
    error_message = "cidr_block of each subnet must be an IPv4 network of at most /28 inside the VPC's cidr_block."
  }
}
