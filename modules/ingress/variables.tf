variable "access_logs" {
  description = "Whether to log every request, in the bucket `<name>-access-logs-<account_id>`."
  type        = bool
  default     = true
  nullable    = false
}

variable "account_id" {
  description = "AWS account whose load balancers may write to the bucket."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "alarms" {
  description = "Percentage of requests that may fail, and SNS topics to notify otherwise; null for no alarm."
  type        = object({ errors = optional(number, 1), topic_arns = optional(list(string), []) })
  default     = null

  validation {
    condition     = try(var.alarms.errors >= 1 && var.alarms.errors <= 100, var.alarms == null)
    error_message = "errors of alarms must be from 1 to 100."
  }
}

variable "certificate_arn" {
  description = "ARN of the certificate, with which HTTP is redirected to HTTPS; null for HTTP only."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether to protect the load balancer and its logs from deletion."
  type        = bool
  default     = false
  nullable    = false
}

variable "domain" {
  description = "DNS name of the services; null for the load balancer's own."
  type        = string
  default     = null
}

variable "hosted_zone_id" {
  description = "ID of the Route 53 hosted zone for `domain`; null if its record is managed elsewhere."
  type        = string
  default     = null

  validation {
    condition     = var.hosted_zone_id == null || var.domain != null
    error_message = "hosted_zone_id must be given with a domain."
  }
}

variable "idle_timeout" {
  description = "Seconds after which an idle connection is closed."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.idle_timeout >= 1 && var.idle_timeout <= 4000 && floor(var.idle_timeout) == var.idle_timeout
    error_message = "idle_timeout must be a whole number of seconds from 1 to 4000."
  }
}

variable "internal" {
  description = "Whether only the VPC reaches the load balancer, and not the internet."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_retention_in_days" {
  description = "Days to keep access logs."
  type        = number
  default     = 365
  nullable    = false
}

variable "name" {
  description = "Name of the load balancer: `<application>-<environment>`."
  type        = string
  nullable    = false
}

variable "security_group_ids" {
  description = "IDs of the load balancer's security groups."
  type        = list(string)
  nullable    = false
}

variable "subnet_ids" {
  description = "IDs of the load balancer's subnets, each in a different zone."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must be at least 2 subnets: AWS requires two zones."
  }
}

variable "web_acl_arn" {
  description = "ARN of the AWS WAF web ACL that filters requests; null for none."
  type        = string
  default     = null
}
