variable "private_subnets" {
  description = "The private subnets, by ID or by tags."
  type        = object({ ids = optional(set(string)), tags = optional(map(string)) })
  default     = null
}

variable "public_subnets" {
  description = "The public subnets, by ID or by tags."
  type        = object({ ids = optional(set(string)), tags = optional(map(string)) })
  default     = null

  validation {
    condition     = alltrue([for kind in concat(var.private_subnets[*], var.public_subnets[*]) : (kind.ids == null) != (kind.tags == null)])
    error_message = "private_subnets and public_subnets must each have either ids or tags."
  }
}

variable "vpc" {
  description = "The VPC, by ID or by tags that no other VPC of the region has."
  type        = object({ id = optional(string), tags = optional(map(string)) })
  nullable    = false

  validation {
    condition     = (var.vpc.id == null) != (var.vpc.tags == null)
    error_message = "vpc must have either an id or tags."
  }
}
