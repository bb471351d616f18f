variable "load_balancer_arn_suffix" {
  description = "The end of the load balancer's ARN, as its metrics name it; null for none."
  type        = string
  default     = null
}

variable "name" {
  description = "Name of the dashboard and of the cluster: `<application>-<environment>`."
  type        = string
  nullable    = false
}

variable "region" {
  description = "AWS region of the metrics."
  type        = string
  nullable    = false
}

variable "services" {
  description = "Services that are shown; the ECS service of each is `<name>-<service>`."
  type        = set(string)
  nullable    = false

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
  validation {
    condition     = length(var.services) <= 500
    error_message = "services must be 500 at most: a widget shows no more metrics."
  }
}
