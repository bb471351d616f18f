output "cluster_arn" {
  description = "ARN of the cluster, known once its capacity providers are attached."
  value       = aws_ecs_cluster.this.arn

  # ECS rejects a service that names a capacity provider which is not attached yet.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "exec_log_group_arn" {
  description = "ARN of the log group of ECS Exec sessions; null without `exec`."
  value       = one(values(aws_cloudwatch_log_group.exec)[*].arn)
}
