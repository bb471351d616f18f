locals {
  makes = var.namespace_arn == null ? var.type : "nothing"

  namespace_arn = coalesce(
    var.namespace_arn,
    one(values(aws_service_discovery_private_dns_namespace.this)[*].arn),
    one(values(aws_service_discovery_http_namespace.this)[*].arn),
  )
  namespace_id = split("/", local.namespace_arn)[1]
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  for_each = local.makes == "dns" ? toset(["this"]) : toset([])

  name = var.namespace
  vpc  = var.vpc_id
}

# ECS itself keeps services and their tasks in it.
resource "aws_service_discovery_http_namespace" "this" {
  for_each = local.makes == "service_connect" ? toset(["this"]) : toset([])

  name = var.namespace
}

# It had no key before a namespace could be given.
moved {
  from = aws_service_discovery_private_dns_namespace.this
  to   = aws_service_discovery_private_dns_namespace.this["this"]
}
