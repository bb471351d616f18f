output "log_group_name" {
  description = "Name of the log group that the containers write to."
  value       = aws_cloudwatch_log_group.this.name
}

output "service_name" {
  description = "Name of the ECS service."
  value       = merge(aws_ecs_service.fixed, aws_ecs_service.autoscaled)["this"].name
}

output "task_definition_arn" {
  description = "ARN of the task definition's revision that the service runs."
  value       = aws_ecs_task_definition.this.arn
}

output "task_role_arn" {
  description = "ARN of the role that the containers have."
  value       = aws_iam_role.task.arn
}

output "task_role_name" {
  description = "Name of the role that the containers have, for policies to be added to it."
  value       = aws_iam_role.task.name
}
