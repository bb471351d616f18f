variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts images; null for ECR's own. Existing repositories keep theirs."
  type        = string
  default     = null
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

variable "pull_accounts" {
  description = "Other AWS accounts that may pull the images."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for account in var.pull_accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "pull_accounts must be AWS account IDs of 12 digits."
  }
}

variable "repositories" {
  description = "Services that have an image. Each gets the repository `<name>-<service>`."
  type        = set(string)
  nullable    = false

  validation {
    condition = alltrue([
      for service in var.repositories : can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", service))
    ])
    error_message = "repositories must be service names: lower-case letters, digits and inner hyphens."
  }
}
