output "log_group_name" {
  description = "Name of the log group that the container writes to."
  value       = aws_cloudwatch_log_group.this.name
}

output "service_name" {
  description = "Name of the ECS service; null for tasks that a schedule starts."
  value       = one([for service in merge(aws_ecs_service.fixed, aws_ecs_service.autoscaled) : service.name])
}

output "task_definition_arn" {
  description = "ARN of the task definition's revision that the service or the schedule runs."
  value       = aws_ecs_task_definition.this.arn
}

output "task_role_arn" {
  description = "ARN of the role that the container has."
  value       = aws_iam_role.task.arn
}

output "task_role_name" {
  description = "Name of the role that the container has, for policies to be added to it."
  value       = aws_iam_role.task.name
}
