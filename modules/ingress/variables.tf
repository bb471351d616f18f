variable "access_logs" {
  description = "Whether every request is logged, in a bucket of its own: `<name>-access-logs-<account_id>`."
  type        = bool
  default     = true
  nullable    = false
}

variable "account_id" {
  description = "AWS account, whose load balancers may write to the bucket."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "alarms" {
  description = "How many requests in a hundred the load balancer may answer with an error of its own (`errors`), and the SNS topics that are told of more; null for no alarm."
  type = object({
    errors     = optional(number, 1)
    topic_arns = optional(list(string), [])
  })
  default = null

  validation {
    condition     = try(var.alarms.errors >= 1 && var.alarms.errors <= 100, var.alarms == null)
    error_message = "errors of alarms must be from 1 to 100."
  }
}

variable "certificate_arn" {
  description = "ARN of the certificate; with it HTTP is redirected to HTTPS, null for HTTP alone."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether the load balancer, and its logs, refuse to be deleted."
  type        = bool
  default     = false
  nullable    = false
}

variable "domain" {
  description = "DNS name that leads to the load balancer; null for the load balancer's own."
  type        = string
  default     = null
}

variable "hosted_zone_id" {
  description = "ID of the Route 53 hosted zone in which `domain` is made; null if its record is made elsewhere."
  type        = string
  default     = null

  validation {
    condition     = var.hosted_zone_id == null || var.domain != null
    error_message = "hosted_zone_id must be given with a domain."
  }
}

variable "idle_timeout" {
  description = "Seconds without traffic after which a connection is closed."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.idle_timeout >= 1 && var.idle_timeout <= 4000 && floor(var.idle_timeout) == var.idle_timeout
    error_message = "idle_timeout must be a whole number of seconds from 1 to 4000."
  }
}

variable "internal" {
  description = "Whether it is reached from inside the VPC alone, and not from the internet."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_retention_in_days" {
  description = "Days for which access logs are kept."
  type        = number
  default     = 365
  nullable    = false
}

variable "name" {
  description = "Name of the load balancer: `<application>-<environment>`."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.name) <= 32 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && !startswith(var.name, "internal-")
    error_message = "name must be at most 32 characters, lower-case words of letters and digits, joined by -, and must not begin with internal-."
  }
}

variable "security_group_ids" {
  description = "IDs of the load balancer's security groups."
  type        = list(string)
  nullable    = false
}

variable "subnet_ids" {
  description = "IDs of the subnets that it is in, each in another zone."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must be 2 subnets or more: AWS wants two zones."
  }
}

variable "web_acl_arn" {
  description = "ARN of the AWS WAF web ACL that requests pass first; null for none."
  type        = string
  default     = null
}
