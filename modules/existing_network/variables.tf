variable "private_subnets" {
  description = "Private subnets, by ID or by tags."
  type        = object({ ids = optional(set(string)), tags = optional(map(string)) })
  default     = null

  validation {
    condition = try(
      (var.private_subnets.ids == null) != (var.private_subnets.tags == null),
      var.private_subnets == null,
    )
    error_message = "private_subnets must have either ids or tags."
  }
}

variable "public_subnets" {
  description = "Public subnets, by ID or by tags."
  type        = object({ ids = optional(set(string)), tags = optional(map(string)) })
  default     = null

  validation {
    condition = try(
      (var.public_subnets.ids == null) != (var.public_subnets.tags == null),
      var.public_subnets == null,
    )
    error_message = "public_subnets must have either ids or tags."
  }
}

variable "vpc" {
  description = "VPC, by ID or by tags that no other VPC of the region has."
  type        = object({ id = optional(string), tags = optional(map(string)) })
  nullable    = false

  validation {
    condition     = (var.vpc.id == null) != (var.vpc.tags == null)
    error_message = "vpc must have either an id or tags."
  }
}
