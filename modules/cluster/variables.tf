variable "capacity_providers" {
  description = "Capacity providers that services may use. Services that name none run on `FARGATE`."
  type        = set(string)
  default     = ["FARGATE", "FARGATE_SPOT"]
  nullable    = false

  validation {
    condition = (
      contains(var.capacity_providers, "FARGATE")
      && length(setsubtract(var.capacity_providers, ["FARGATE", "FARGATE_SPOT"])) == 0
    )
    error_message = "capacity_providers must be FARGATE, or FARGATE and FARGATE_SPOT."
  }
}

variable "container_insights" {
  description = "Metrics per task (`enabled`), also per container (`enhanced`), or none (`disabled`)."
  type        = string
  default     = "enabled"
  nullable    = false

  validation {
    condition     = contains(["disabled", "enabled", "enhanced"], var.container_insights)
    error_message = "container_insights must be one of: disabled, enabled, enhanced."
  }
}

variable "exec" {
  description = "Whether to set up ECS Exec for services that allow it."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts ECS Exec sessions and their logs; null for AWS's own key."
  type        = string
  default     = null
}

variable "log_retention_in_days" {
  description = "Days to keep the logs of ECS Exec."
  type        = number
  default     = 365
  nullable    = false
}

variable "name" {
  description = "Name of the cluster: `<application>-<environment>`."
  type        = string
  nullable    = false
}
