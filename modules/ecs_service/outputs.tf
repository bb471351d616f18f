output "run_task" {
  description = "Input of `aws ecs run-task --cli-input-json` for a one-off task; null otherwise."
  value = !var.one_off ? null : {
    cluster              = var.cluster_arn
    enableECSManagedTags = true
    propagateTags        = "TASK_DEFINITION"
    taskDefinition       = aws_ecs_task_definition.this.arn

    capacityProviderStrategy = [
      for name, share in var.capacity_providers :
      { capacityProvider = name, base = share.base, weight = share.weight }
    ]

    networkConfiguration = {
      awsvpcConfiguration = {
        assignPublicIp = var.assign_public_ip ? "ENABLED" : "DISABLED"
        securityGroups = var.security_group_ids
        subnets        = var.subnet_ids
      }
    }
  }
}

output "service_name" {
  description = "Name of the ECS service; null for tasks that run to completion."
  value       = one([for service in merge(aws_ecs_service.fixed, aws_ecs_service.autoscaled) : service.name])
}

output "task_definition_arn" {
  description = "ARN of the current revision of the task definition."
  value       = aws_ecs_task_definition.this.arn
}

output "task_role_name" {
  description = "Name of the containers' role, for adding policies to it."
  value       = aws_iam_role.task.name
}
