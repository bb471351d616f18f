output "cluster_arn" {
  description = "ARN of the cluster, once its capacity providers are in place."
  value       = aws_ecs_cluster.this.arn

  # A service that names a capacity provider is refused before.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}
