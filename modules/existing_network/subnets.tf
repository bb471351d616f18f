data "aws_subnets" "this" {
  for_each = {
    for kind, subnets in { public = var.public_subnets, private = var.private_subnets } :
    kind => subnets if subnets != null
  }

  tags = each.value.tags

  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.this.id]
  }

  dynamic "filter" {
    for_each = each.value.ids == null ? [] : [each.value.ids]

    content {
      name   = "subnet-id"
      values = filter.value
    }
  }

  lifecycle {
    postcondition {
      condition     = length(self.ids) >= max(1, length(coalesce(each.value.ids, [])))
      error_message = "The VPC lacks some of these ${each.key} subnets, or has none with these tags."
    }
  }
}
