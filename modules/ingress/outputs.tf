output "arn_suffix" {
  description = "Suffix of the load balancer's ARN, as its metrics use it."
  value       = aws_lb.this.arn_suffix
}

output "listener_arn" {
  description = "ARN of the listener that services add rules to: HTTPS with a certificate, otherwise HTTP."
  value       = aws_lb_listener.this[contains(keys(local.listeners), "https") ? "https" : "http"].arn
}

output "url" {
  description = "URL of the services: at `domain`, otherwise at the load balancer's DNS name."
  value       = "${var.certificate_arn == null ? "http" : "https"}://${coalesce(var.domain, aws_lb.this.dns_name)}"
}
