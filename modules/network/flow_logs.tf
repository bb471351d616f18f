locals {
  flow_logs      = var.flow_logs == null ? {} : { this = var.flow_logs }
  flow_log_group = "/vpc/${var.name}"

  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

resource "aws_flow_log" "this" {
  for_each = local.flow_logs

  vpc_id          = aws_vpc.this.id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.flow_logs[each.key].arn
  iam_role_arn    = aws_iam_role.flow_logs[each.key].arn

  tags = { Name = var.name }

  depends_on = [aws_iam_role_policy.flow_logs]
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  for_each = local.flow_logs

  name              = local.flow_log_group
  kms_key_id        = each.value.kms_key_arn
  retention_in_days = each.value.retention_in_days
}

resource "aws_iam_role" "flow_logs" {
  for_each = local.flow_logs

  name               = "${var.name}-flow-logs"
  assume_role_policy = data.aws_iam_policy_document.flow_logs_assume_role.json
}

resource "aws_iam_role_policy" "flow_logs" {
  for_each = local.flow_logs

  name   = "flow-logs"
  role   = aws_iam_role.flow_logs[each.key].name
  policy = data.aws_iam_policy_document.flow_logs.json
}

data "aws_iam_policy_document" "flow_logs_assume_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    # Keeps other accounts' flow logs from using the role.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:ec2:${local.region}:${local.account_id}:vpc-flow-log/*"]
    }
  }
}

# The log group's name instead of its attribute, so that the plan of a new network shows the policy.
data "aws_iam_policy_document" "flow_logs" {
  statement {
    sid       = "WriteFlowLogs"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.flow_log_group}:*"]
  }
}
