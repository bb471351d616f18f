output "namespace_arn" {
  description = "ARN of the namespace."
  value       = local.namespace_arn
}

output "service_arns" {
  description = "ARNs of the discovery services, by service name."
  value       = { for name, service in aws_service_discovery_service.this : name => service.arn }
}
