output "repository_arns" {
  description = "ARNs of the repositories, by service name."
  value       = { for service, repository in aws_ecr_repository.this : service => repository.arn }
}

output "repository_urls" {
  description = "URLs of the repositories without a tag or digest, by service name."
  value       = { for service, repository in aws_ecr_repository.this : service => repository.repository_url }
}
