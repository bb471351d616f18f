resource "aws_security_group" "this" {
  for_each = var.groups

  vpc_id      = var.vpc_id
  name_prefix = "${var.name}-${each.key}-"
  description = each.value.description

  # Groups that refer to each other cannot be deleted while their rules exist.
  revoke_rules_on_delete = true

  tags = { Name = "${var.name}-${each.key}" }

  lifecycle {
    # A new description would replace the group, and AWS does not delete a group in use.
    create_before_destroy = true
    ignore_changes        = [description]
  }
}
