locals {
  gateway_endpoints   = setintersection(var.endpoints, ["dynamodb", "s3"])
  interface_endpoints = setsubtract(var.endpoints, local.gateway_endpoints)
}

data "aws_region" "current" {}

# Endpoints leave a subnet that is about to be removed before it is: its key is no longer in the variable.
resource "aws_vpc_endpoint" "gateway" {
  for_each = local.gateway_endpoints

  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${data.aws_region.current.id}.${each.key}"
  route_table_ids   = [for key in keys(var.private_subnets) : aws_route_table.private[key].id]

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoints

  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${data.aws_region.current.id}.${each.key}"
  subnet_ids          = [for key in keys(var.private_subnets) : aws_subnet.private[key].id]
  security_group_ids  = var.endpoint_security_group_ids
  private_dns_enabled = true

  tags = { Name = "${var.name}-${each.key}" }
}
