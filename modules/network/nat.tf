locals {
  nat_subnets = toset(compact([for subnet in var.private_subnets : subnet.nat_subnet]))
}

resource "aws_eip" "nat" {
  for_each = local.nat_subnets

  domain = "vpc"

  tags = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = local.nat_subnets

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${var.name}-${each.key}" }

  # It works only once its subnet reaches the internet.
  depends_on = [aws_route.public_internet, aws_route_table_association.public]
}
