variable "load_balancer_arn_suffix" {
  description = "Suffix of the load balancer's ARN, as its metrics use it; null without a load balancer."
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
  description = "Services to show. The ECS service of each is `<name>-<service>`."
  type        = set(string)
  nullable    = false

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
  validation {
    condition     = length(var.services) <= 500
    error_message = "services must be at most 500: a widget cannot show more metrics."
  }
}
