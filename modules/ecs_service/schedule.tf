# Tasks that a schedule starts and that run to their end, instead of an ECS service that keeps tasks running.

data "aws_iam_policy_document" "assume_schedule_role" {
  for_each = local.schedules

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    # Without these, another account's schedule could be made to use the role.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.cluster.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.cluster.partition}:scheduler:${local.cluster.region}:${local.cluster.account_id}:schedule-group/default"]
    }
  }
}

# Names and not attributes, or the policy would be unknown when the plan of a new task is reviewed.
data "aws_iam_policy_document" "schedule" {
  for_each = local.schedules

  statement {
    sid       = "StartTask"
    actions   = ["ecs:RunTask"]
    resources = ["arn:${local.cluster.partition}:ecs:${local.cluster.region}:${local.cluster.account_id}:task-definition/${var.name}:*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [var.cluster_arn]
    }
  }

  statement {
    sid       = "TagTask"
    actions   = ["ecs:TagResource"]
    resources = ["arn:${local.cluster.partition}:ecs:${local.cluster.region}:${local.cluster.account_id}:task/${local.cluster_name}/*"]

    condition {
      test     = "StringEquals"
      variable = "ecs:CreateAction"
      values   = ["RunTask"]
    }
  }

  statement {
    sid       = "GiveTaskItsRoles"
    actions   = ["iam:PassRole"]
    resources = [for role in ["execution", "task"] : "arn:${local.cluster.partition}:iam::${local.cluster.account_id}:role/${var.name}-${role}"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  # https://docs.aws.amazon.com/scheduler/latest/UserGuide/encryption-rest.html
  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      sid       = "DecryptSchedule"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:EncryptionContext:aws:scheduler:schedule:arn"
        values   = ["arn:${local.cluster.partition}:scheduler:${local.cluster.region}:${local.cluster.account_id}:schedule/default/${var.name}"]
      }
    }
  }
}

resource "aws_iam_role" "schedule" {
  for_each = local.schedules

  name               = "${var.name}-schedule"
  assume_role_policy = data.aws_iam_policy_document.assume_schedule_role[each.key].json
  tags               = var.tags
}

resource "aws_iam_role_policy" "schedule" {
  for_each = local.schedules

  name   = "schedule"
  role   = aws_iam_role.schedule[each.key].name
  policy = data.aws_iam_policy_document.schedule[each.key].json
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
      # With its revision: what was reviewed runs, and a new one only after an apply.
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

  # Without its permissions a task that is due does not start.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.schedule]
}
