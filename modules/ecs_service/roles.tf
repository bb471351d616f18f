locals {
  # Prefixes of ARNs in the service's account and region.
  arns = {
    for service in ["ecs", "elasticfilesystem", "logs", "scheduler", "secretsmanager", "ssm"] :
    service => "arn:${local.cluster.partition}:${service}:${local.cluster.region}:${local.cluster.account_id}"
  }

  authorized_volumes = { for name, volume in var.volumes : name => volume.efs if try(volume.efs.iam, false) }
  written_volumes = flatten([
    for container in var.containers : [for volume, mount in container.mounts : volume if !mount.read_only]
  ])

  task_has_policy = (
    var.exec_log_group_arn != null || length(local.authorized_volumes) + length(var.task_role.statements) > 0
  )

  # ECR repositories to pull from: the service's own, and those in the images' names.
  repository_arns = distinct(concat(var.repository_arn[*], flatten([
    for name, container in var.containers : [
      for match in regexall(
        "^([0-9]{12})[.]dkr[.]ecr[.]([a-z0-9-]+)[.]amazonaws[.]com(?:[.]cn)?/([^:@]+)", container.image
      ) : "arn:${local.cluster.partition}:ecr:${match[1]}:${match[0]}:repository/${match[2]}"
    ] if name != var.service || var.repository_arn == null
  ])))

  # Statements without a resource are dropped.
  execution_statements = [for statement in [
    {
      # The log group's name instead of its attribute, so that the plan of a new service shows the policy.
      sid       = "WriteLogs"
      actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resources = ["${local.arns.logs}:log-group:${local.log_group_name}:*"]
    },
    {
      sid       = "PullImages"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = local.repository_arns
    },
    {
      # AWS supports no narrower resource for this action.
      sid       = "LogInToRegistry"
      actions   = ["ecr:GetAuthorizationToken"]
      resources = length(local.repository_arns) > 0 ? ["*"] : []
    },
    { sid = "ReadParameters", actions = ["ssm:GetParameters"], resources = local.parameter_arns },
    {
      # A secret's ARN ends with a hyphen and six characters that are unknown until it exists.
      sid       = "ReadSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for arn in values(local.secret_arns) : can(regex("-[A-Za-z0-9]{6}$", arn)) ? arn : "${arn}-??????"]
    },
    {
      # Only through these services, as the key encrypts more than secrets.
      sid       = "DecryptSecrets"
      actions   = ["kms:Decrypt"]
      resources = length(local.secrets) > 0 ? var.kms_key_arn[*] : []
      conditions = [{
        test     = "StringLike"
        variable = "kms:ViaService"
        values   = formatlist("%s.${local.cluster.region}.*", ["secretsmanager", "ssm"])
      }]
    },
  ] : statement if length(statement.resources) > 0]

  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html#ecs-exec-required-iam-permissions
  shell_statements = var.exec_log_group_arn == null ? [] : [for statement in [
    {
      sid = "OpenShell"
      actions = [
        "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
      ]
      resources = ["*"] # AWS supports no narrower resource for these actions.
    },
    {
      # The agent lists all log groups.
      sid       = "FindShellLogs"
      actions   = ["logs:DescribeLogGroups"]
      resources = ["${local.arns.logs}:log-group:*"]
    },
    {
      sid       = "WriteShellLogs"
      actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      resources = ["${var.exec_log_group_arn}:*"]
    },
    { sid = "DecryptShell", actions = ["kms:Decrypt"], resources = var.kms_key_arn[*] },
  ] : statement if length(statement.resources) > 0]

  volume_statements = [for name, efs in local.authorized_volumes : {
    actions = concat(
      ["elasticfilesystem:ClientMount"],
      contains(local.written_volumes, name) ? ["elasticfilesystem:ClientWrite"] : [],
    )
    resources = ["${local.arns.elasticfilesystem}:file-system/${efs.file_system_id}"]
    conditions = [for id in efs.access_point_id[*] : {
      test     = "StringEquals"
      variable = "elasticfilesystem:AccessPointArn"
      values   = ["${local.arns.elasticfilesystem}:access-point/${id}"]
    }]
  }]

  # AWS services that assume a role, and for which resources, so that no other account can make them use it.
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
  for_each = {
    execution = local.execution_statements
    schedule  = local.schedule_statements
    task      = concat(local.shell_statements, local.volume_statements, var.task_role.statements)
  }

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

# ECS assumes it to start tasks.
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

# The containers assume it. It grants only what the variables name.
resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  assume_role_policy = data.aws_iam_policy_document.trust["ecs-tasks"].json

  tags = var.tags
}

resource "aws_iam_role_policy" "task" {
  for_each = local.task_has_policy ? toset(["this"]) : toset([])

  name   = "task"
  role   = aws_iam_role.task.name
  policy = data.aws_iam_policy_document.this["task"].json
}

resource "aws_iam_role_policy_attachment" "task" {
  for_each = var.task_role.policies

  role       = aws_iam_role.task.name
  policy_arn = each.value
}
