output "run_task" {
  description = "What `aws ecs run-task --cli-input-json` takes to run a one-off task; null for a service or a schedule."
  value = !var.one_off ? null : {
    cluster              = var.cluster_arn
    enableECSManagedTags = true
    propagateTags        = "TASK_DEFINITION"
    taskDefinition       = aws_ecs_task_definition.this.arn

    capacityProviderStrategy = [
      for name, share in var.capacity_providers : { capacityProvider = name, base = share.base, weight = share.weight }
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
  description = "Name of the ECS service; null for tasks that run to their end."
  value       = one([for service in merge(aws_ecs_service.fixed, aws_ecs_service.autoscaled) : service.name])
}

output "task_definition_arn" {
  description = "ARN of the task definition's revision that runs."
  value       = aws_ecs_task_definition.this.arn
}

output "task_role_name" {
  description = "Name of the role that the containers have, for policies to be added to it."
  value       = aws_iam_role.task.name
}
