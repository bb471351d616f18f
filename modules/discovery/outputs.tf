output "namespace_arn" {
  description = "ARN of the namespace."
  value       = aws_service_discovery_private_dns_namespace.this.arn
}

output "namespace_id" {
  description = "ID of the namespace."
  value       = aws_service_discovery_private_dns_namespace.this.id
}

output "namespace_name" {
  description = "DNS name of the namespace."
  value       = aws_service_discovery_private_dns_namespace.this.name
}

output "service_arns" {
  description = "ARNs of the discovery services by service name."
  value       = { for name, service in aws_service_discovery_service.this : name => service.arn }
}
