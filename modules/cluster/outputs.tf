output "cluster_arn" {
  description = "ARN of the cluster, once its capacity providers are in place."
  value       = aws_ecs_cluster.this.arn

  # A service that names a capacity provider is refused before.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "exec_log_group_arn" {
  description = "ARN of the log group that what ECS Exec does is written to; null without `exec`."
  value       = one(values(aws_cloudwatch_log_group.exec)[*].arn)
}
