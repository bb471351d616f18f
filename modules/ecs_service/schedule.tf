# Tasks that a schedule starts and that run to completion, instead of an ECS service.

locals {
  # Names instead of attributes, so that the plan of a new task shows the policy.
  schedule_statements = [for statement in [
    {
      sid        = "StartTask"
      actions    = ["ecs:RunTask"]
      resources  = ["${local.arns.ecs}:task-definition/${var.name}:*"]
      conditions = [{ test = "ArnEquals", variable = "ecs:cluster", values = [var.cluster_arn] }]
    },
    {
      sid        = "TagTask"
      actions    = ["ecs:TagResource"]
      resources  = ["${local.arns.ecs}:task/${local.cluster_name}/*"]
      conditions = [{ test = "StringEquals", variable = "ecs:CreateAction", values = ["RunTask"] }]
    },
    {
      sid     = "GiveTaskItsRoles"
      actions = ["iam:PassRole"]
      resources = [
        for role in ["execution", "task"] :
        "arn:${local.cluster.partition}:iam::${local.cluster.account_id}:role/${var.name}-${role}"
      ]
      conditions = [{ test = "StringEquals", variable = "iam:PassedToService", values = ["ecs-tasks.amazonaws.com"] }]
    },
    {
      # https://docs.aws.amazon.com/scheduler/latest/UserGuide/encryption-rest.html
      sid       = "DecryptSchedule"
      actions   = ["kms:Decrypt"]
      resources = var.kms_key_arn[*]
      conditions = [{
        test     = "StringEquals"
        variable = "kms:EncryptionContext:aws:scheduler:schedule:arn"
        values   = ["${local.arns.scheduler}:schedule/default/${var.name}"]
      }]
    },
  ] : statement if length(statement.resources) > 0]
}

resource "aws_iam_role" "schedule" {
  for_each = local.schedules

  name               = "${var.name}-schedule"
  assume_role_policy = data.aws_iam_policy_document.trust["scheduler"].json
  tags               = var.tags
}

resource "aws_iam_role_policy" "schedule" {
  for_each = local.schedules

  name   = "schedule"
  role   = aws_iam_role.schedule[each.key].name
  policy = data.aws_iam_policy_document.this["schedule"].json
}

resource "aws_scheduler_schedule" "this" {
  for_each = local.schedules

  name                         = var.name
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.time_zone
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = var.cluster_arn
    role_arn = aws_iam_role.schedule[each.key].arn

    ecs_parameters {
      # With its revision, so that a new one runs only after an apply.
      task_definition_arn     = aws_ecs_task_definition.this.arn
      enable_ecs_managed_tags = true
      propagate_tags          = "TASK_DEFINITION"

      dynamic "capacity_provider_strategy" {
        for_each = var.capacity_providers

        content {
          capacity_provider = capacity_provider_strategy.key
          base              = capacity_provider_strategy.value.base
          weight            = capacity_provider_strategy.value.weight
        }
      }

      network_configuration {
        assign_public_ip = var.assign_public_ip
        security_groups  = var.security_group_ids
        subnets          = var.subnet_ids
      }
    }

    retry_policy {
      maximum_event_age_in_seconds = each.value.maximum_event_age
      maximum_retry_attempts       = each.value.retries
    }
  }

  # A task cannot start without its permissions.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.schedule]
}
