data "aws_iam_policy_document" "assume_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    # Without these, ECS could be made to use the role for another account's tasks.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.cluster.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.cluster.partition}:ecs:${local.cluster.region}:${local.cluster.account_id}:*"]
    }
  }
}

locals {
  # Repositories of ECR that containers are pulled from: the service's own, and those of which images name the registry.
  repository_arns = distinct(concat(var.repository_arn[*], flatten([
    for name, container in var.containers : [
      for found in regexall("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/([^:@]+)", container.image) :
      "arn:${local.cluster.partition}:ecr:${found[1]}:${found[0]}:repository/${found[2]}"
    ] if name != var.service || var.repository_arn == null
  ])))
}

data "aws_iam_policy_document" "execution" {
  # The log group's name and not its attribute, or the policy would be unknown when the plan of a new service is reviewed.
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${local.cluster.partition}:logs:${local.cluster.region}:${local.cluster.account_id}:log-group:${local.log_group_name}:*"]
  }

  dynamic "statement" {
    for_each = length(local.repository_arns) > 0 ? ["this"] : []

    content {
      sid       = "PullImages"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = local.repository_arns
    }
  }

  dynamic "statement" {
    for_each = length(local.repository_arns) > 0 ? ["this"] : []

    content {
      sid       = "LogInToRegistry"
      actions   = ["ecr:GetAuthorizationToken"]
      resources = ["*"] # AWS knows no narrower one for this action.
    }
  }

  dynamic "statement" {
    for_each = length(local.parameter_arns) > 0 ? ["this"] : []

    content {
      sid       = "ReadParameters"
      actions   = ["ssm:GetParameters"]
      resources = local.parameter_arns
    }
  }

  # A secret's ARN ends with a hyphen and six characters that nobody knows before it is there.
  dynamic "statement" {
    for_each = length(local.secret_arns) > 0 ? ["this"] : []

    content {
      sid       = "ReadSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for arn in values(local.secret_arns) : can(regex("-[A-Za-z0-9]{6}$", arn)) ? arn : "${arn}-??????"]
    }
  }

  dynamic "statement" {
    for_each = length(local.secrets) > 0 ? var.kms_key_arn[*] : []

    content {
      sid       = "DecryptSecrets"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      # The key encrypts more than secrets.
      condition {
        test     = "StringLike"
        variable = "kms:ViaService"
        values   = [for service in ["secretsmanager", "ssm"] : "${service}.${local.cluster.region}.*"]
      }
    }
  }
}

data "aws_iam_policy_document" "task" {
  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html#ecs-exec-required-iam-permissions
  dynamic "statement" {
    for_each = var.exec_log_group_arn[*]

    content {
      sid = "OpenShell"
      actions = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      resources = ["*"] # AWS knows no narrower one for these actions.
    }
  }

  dynamic "statement" {
    for_each = var.exec_log_group_arn[*]

    content {
      sid       = "FindShellLogs"
      actions   = ["logs:DescribeLogGroups"]
      resources = ["arn:${local.cluster.partition}:logs:${local.cluster.region}:${local.cluster.account_id}:log-group:*"] # The agent lists them all.
    }
  }

  dynamic "statement" {
    for_each = var.exec_log_group_arn[*]

    content {
      sid       = "WriteShellLogs"
      actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      resources = ["${statement.value}:*"]
    }
  }

  dynamic "statement" {
    for_each = var.exec_log_group_arn == null ? [] : var.kms_key_arn[*]

    content {
      sid       = "DecryptShell"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.authorized_volumes

    content {
      actions = concat(
        ["elasticfilesystem:ClientMount"],
        [for action in ["elasticfilesystem:ClientWrite"] : action if contains(local.written_volumes, statement.key)],
      )
      resources = ["arn:${local.cluster.partition}:elasticfilesystem:${local.cluster.region}:${local.cluster.account_id}:file-system/${statement.value.file_system_id}"]

      dynamic "condition" {
        for_each = statement.value.access_point_id[*]

        content {
          test     = "StringEquals"
          variable = "elasticfilesystem:AccessPointArn"
          values   = ["arn:${local.cluster.partition}:elasticfilesystem:${local.cluster.region}:${local.cluster.account_id}:access-point/${condition.value}"]
        }
      }
    }
  }

  dynamic "statement" {
    for_each = var.task_role.statements

    content {
      sid       = statement.value.sid
      effect    = title(statement.value.effect)
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.conditions

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

locals {
  authorized_volumes = { for name, volume in var.volumes : name => volume.efs if try(volume.efs.iam, false) }

  written_volumes = flatten([
    for container in var.containers : [for volume, mount in container.mounts : volume if !mount.read_only]
  ])

  task_may_something = var.exec_log_group_arn != null || length(local.authorized_volumes) + length(var.task_role.statements) > 0
}

# What ECS may do to start a task.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.assume_role.json

  tags = var.tags
}

resource "aws_iam_role_policy" "execution" {
  name   = "execution"
  role   = aws_iam_role.execution.name
  policy = data.aws_iam_policy_document.execution.json
}

# What the containers themselves may do: nothing, unless it is said.
resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  assume_role_policy = data.aws_iam_policy_document.assume_role.json

  tags = var.tags
}

resource "aws_iam_role_policy" "task" {
  for_each = local.task_may_something ? toset(["this"]) : toset([])

  name   = "task"
  role   = aws_iam_role.task.name
  policy = data.aws_iam_policy_document.task.json
}

resource "aws_iam_role_policy_attachment" "task" {
  for_each = var.task_role.policies

  role       = aws_iam_role.task.name
  policy_arn = each.value
}
