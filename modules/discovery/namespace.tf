locals {
  created = var.namespace_arn == null ? var.type : "nothing"

  namespace_arn = coalesce(
    var.namespace_arn,
    one(values(aws_service_discovery_private_dns_namespace.this)[*].arn),
    one(values(aws_service_discovery_http_namespace.this)[*].arn),
  )
  namespace_id = split("/", local.namespace_arn)[1]
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  for_each = local.created == "dns" ? toset(["this"]) : toset([])

  name = var.namespace
  vpc  = var.vpc_id
}

# ECS Service Connect registers services and tasks in it.
resource "aws_service_discovery_http_namespace" "this" {
  for_each = local.created == "service_connect" ? toset(["this"]) : toset([])

  name = var.namespace
}

# For states from before `namespace_arn` existed.
moved {
  from = aws_service_discovery_private_dns_namespace.this
  to   = aws_service_discovery_private_dns_namespace.this["this"]
}
