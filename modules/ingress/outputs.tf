output "arn_suffix" {
  description = "The end of the load balancer's ARN, as its metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "dns_name" {
  description = "The load balancer's own DNS name."
  value       = aws_lb.this.dns_name
}

output "listener_arn" {
  description = "ARN of the listener that services add their rules to: HTTPS if there is a certificate."
  value       = aws_lb_listener.this[contains(keys(local.listeners), "https") ? "https" : "http"].arn
}

output "url" {
  description = "Where the services are found: at the domain, else at the load balancer's own name."
  value       = "${var.certificate_arn == null ? "http" : "https"}://${coalesce(var.domain, aws_lb.this.dns_name)}"
}
