locals {
  # How the ARN of whatever the service's account has in its region begins.
  arns = {
    for service in ["ecs", "elasticfilesystem", "logs", "scheduler", "secretsmanager", "ssm"] :
    service => "arn:${local.cluster.partition}:${service}:${local.cluster.region}:${local.cluster.account_id}"
  }

  authorized_volumes = { for name, volume in var.volumes : name => volume.efs if try(volume.efs.iam, false) }
  written_volumes    = flatten([for container in var.containers : [for volume, mount in container.mounts : volume if !mount.read_only]])

  task_may_something = var.exec_log_group_arn != null || length(local.authorized_volumes) + length(var.task_role.statements) > 0

  execution_statements = concat(
    # The log group's name and not its attribute, or the policy would be unknown when the plan of a new service is reviewed.
    [{
      sid       = "WriteLogs"
      actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resources = ["${local.arns.logs}:log-group:${local.log_group_name}:*"]
    }],
    [for arn in var.repository_arn[*] : {
      sid       = "PullImage"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = [arn]
    }],
    # AWS knows no narrower resource for this action.
    [for arn in var.repository_arn[*] : { sid = "LogInToRegistry", actions = ["ecr:GetAuthorizationToken"], resources = ["*"] }],
    [for arns in [local.parameter_arns] : { sid = "ReadParameters", actions = ["ssm:GetParameters"], resources = arns } if length(arns) > 0],
    # A secret's ARN ends with a hyphen and six characters that nobody knows before it is there.
    [for arns in [values(local.secret_arns)] : {
      sid       = "ReadSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for arn in arns : can(regex("-[A-Za-z0-9]{6}$", arn)) ? arn : "${arn}-??????"]
    } if length(arns) > 0],
    # The key encrypts more than secrets.
    [for arn in var.kms_key_arn[*] : {
      sid        = "DecryptSecrets"
      actions    = ["kms:Decrypt"]
      resources  = [arn]
      conditions = [{ test = "StringLike", variable = "kms:ViaService", values = formatlist("%s.${local.cluster.region}.*", ["secretsmanager", "ssm"]) }]
    } if length(local.secrets) > 0],
  )

  task_statements = concat(
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html#ecs-exec-required-iam-permissions
    # AWS knows no narrower resource for the shell's actions, and the agent lists all log groups.
    flatten([for arn in var.exec_log_group_arn[*] : [
      {
        sid       = "OpenShell"
        actions   = ["ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"]
        resources = ["*"]
      },
      { sid = "FindShellLogs", actions = ["logs:DescribeLogGroups"], resources = ["${local.arns.logs}:log-group:*"] },
      { sid = "WriteShellLogs", actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], resources = ["${arn}:*"] },
    ]]),
    [for arn in var.kms_key_arn[*] : { sid = "DecryptShell", actions = ["kms:Decrypt"], resources = [arn] } if var.exec_log_group_arn != null],
    [for name, efs in local.authorized_volumes : {
      actions   = concat(["elasticfilesystem:ClientMount"], contains(local.written_volumes, name) ? ["elasticfilesystem:ClientWrite"] : [])
      resources = ["${local.arns.elasticfilesystem}:file-system/${efs.file_system_id}"]
      conditions = [
        for id in efs.access_point_id[*] :
        { test = "StringEquals", variable = "elasticfilesystem:AccessPointArn", values = ["${local.arns.elasticfilesystem}:access-point/${id}"] }
      ]
    }],
    var.task_role.statements,
  )

  # The service of AWS that takes a role, and for what. Without the latter it could be made to use the role for another account.
  trust = {
    ecs-tasks = { test = "ArnLike", source = "${local.arns.ecs}:*" }
    scheduler = { test = "ArnEquals", source = "${local.arns.scheduler}:schedule-group/default" }
  }
}

data "aws_iam_policy_document" "trust" {
  for_each = local.trust

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.cluster.account_id]
    }

    condition {
      test     = each.value.test
      variable = "aws:SourceArn"
      values   = [each.value.source]
    }
  }
}

data "aws_iam_policy_document" "this" {
  for_each = { execution = local.execution_statements, schedule = local.schedule_statements, task = local.task_statements }

  dynamic "statement" {
    for_each = each.value

    content {
      sid       = try(statement.value.sid, null)
      effect    = title(try(statement.value.effect, "allow"))
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = try(statement.value.conditions, [])

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

# What ECS may do to start a task.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.trust["ecs-tasks"].json

  tags = var.tags
}

resource "aws_iam_role_policy" "execution" {
  name   = "execution"
  role   = aws_iam_role.execution.name
  policy = data.aws_iam_policy_document.this["execution"].json
}

# What the containers themselves may do: nothing, unless it is said.
resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  assume_role_policy = data.aws_iam_policy_document.trust["ecs-tasks"].json

  tags = var.tags
}

resource "aws_iam_role_policy" "task" {
  for_each = local.task_may_something ? toset(["this"]) : toset([])

  name   = "task"
  role   = aws_iam_role.task.name
  policy = data.aws_iam_policy_document.this["task"].json
}

resource "aws_iam_role_policy_attachment" "task" {
  for_each = var.task_role.policies

  role       = aws_iam_role.task.name
  policy_arn = each.value
}
