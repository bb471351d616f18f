resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = var.ingress

  security_group_id = aws_security_group.this[each.value.group].id
  description       = each.value.description

  cidr_ipv4 = each.value.from_cidr
  referenced_security_group_id = (
    each.value.from_group == null ? null : aws_security_group.this[each.value.from_group].id
  )

  ip_protocol = each.value.protocol
  from_port   = each.value.port
  to_port     = each.value.port

  # EC2, unlike other services, allows ">" in a tag's value.
  tags = { Name = each.key }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = var.egress

  security_group_id = aws_security_group.this[each.value.group].id
  description       = each.value.description

  cidr_ipv4      = each.value.to_cidr
  prefix_list_id = each.value.to_prefix_list
  referenced_security_group_id = (
    each.value.to_group == null ? null : aws_security_group.this[each.value.to_group].id
  )

  ip_protocol = each.value.protocol
  from_port   = each.value.port
  to_port     = each.value.port

  tags = { Name = each.key }
}
