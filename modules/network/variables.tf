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

variable "endpoint_security_group_ids" {
  description = "Security groups of the interface endpoints."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.endpoints, ["dynamodb", "s3"])) == 0 || length(var.endpoint_security_group_ids) > 0
    error_message = "endpoint_security_group_ids must have a group when there are endpoints other than dynamodb and s3."
  }
}

variable "endpoints" {
  description = "AWS services that the private subnets reach inside the VPC, by the end of the endpoint's name. Those of `dynamodb` and `s3` are gateways."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.endpoints : can(regex("^[a-z0-9]+([.-][a-z0-9]+)*$", name))])
    error_message = "endpoints must be the ends of endpoints' names, for example ecr.api."
  }

  validation {
    condition     = length(var.endpoints) == 0 || length(var.private_subnets) > 0
    error_message = "endpoints must be empty without private_subnets: they are placed there."
  }
}

variable "flow_logs" {
  description = "Keeps a record of all traffic in CloudWatch Logs; null for none."
  type = object({
    kms_key_arn       = optional(string)
    retention_in_days = optional(number, 365)
  })
  default = null

  validation {
    condition = var.flow_logs == null || contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      try(var.flow_logs.retention_in_days, 0),
    )
    error_message = "retention_in_days of flow_logs must be one of: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
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

variable "private_subnets" {
  description = "Private subnets by key; the key ends the subnet's name. `nat_subnet` is the public subnet whose NAT gateway leads to the internet; without it nothing does."
  type = map(object({
    availability_zone = string
    cidr_block        = string
    nat_subnet        = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key in keys(var.private_subnets) : can(regex("^[a-z][a-z0-9_]*$", key))])
    error_message = "The keys of private_subnets must be lower-case letters, digits and underscores and must start with a letter."
  }

  validation {
    condition     = alltrue([for subnet in var.private_subnets : can(regex("^[a-z]{2}-[a-z0-9-]+[0-9][a-z]$", subnet.availability_zone))])
    error_message = "availability_zone must be a zone's full name, for example ap-northeast-1a."
  }

  validation {
    condition     = alltrue([for subnet in var.private_subnets : subnet.nat_subnet == null || contains(keys(var.public_subnets), coalesce(subnet.nat_subnet, "-"))])
    error_message = "nat_subnet of each private subnet must be a key of public_subnets."
  }

  validation {
    condition = alltrue([
      for subnet in var.private_subnets : try(
        cidrsubnet(subnet.cidr_block, 0, 0) == subnet.cidr_block
        && tonumber(split("/", subnet.cidr_block)[1]) >= tonumber(split("/", var.cidr_block)[1])
        && tonumber(split("/", subnet.cidr_block)[1]) <= 28
        && cidrsubnet("${split("/", subnet.cidr_block)[0]}/${split("/", var.cidr_block)[1]}", 0, 0) == var.cidr_block,
        false,
      )
    ])
    error_message = "The cidr_block of each private subnet must be an IPv4 network address inside the VPC's cidr_block with a prefix of at most /28."
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
