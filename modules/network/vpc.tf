resource "aws_vpc" "this" {
  cidr_block = var.cidr_block

  # Names of service discovery resolve only with both.
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = { Name = var.name }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

# Without rules, so that anything in the default group reaches nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default" }
}

# AWS's own rules, written out so that a plan shows any other. Security groups do the filtering: closing ports here
# would also drop answers to a NAT gateway, which uses the ports from 1024 for its connections.
resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id

  ingress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }

  egress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }

  tags = { Name = "${var.name}-default" }

  lifecycle {
    ignore_changes = [subnet_ids] # AWS lists subnets without an ACL of their own here.
  }
}
