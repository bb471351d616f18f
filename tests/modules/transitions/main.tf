# Services that are applied to the emulator, and then planned with changes. One apply and few plans serve all tests.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = "ap-northeast-1"
}

variable "connected" {
  description = "Whether services find each other through Service Connect instead of Cloud Map's DNS."
  type        = bool
  default     = false
}

variable "force_new_deployment" {
  description = "Whether every update of `worker` starts new tasks."
  type        = bool
  default     = false
}

variable "listened_port" {
  description = "Port of `web`."
  type        = number
  default     = 8080
}

variable "registry" {
  description = "Cloud Map service of `mail`."
  type        = string
  default     = "first"
}

variable "spot" {
  description = "Whether `worker` runs on Fargate Spot."
  type        = bool
  default     = false
}

variable "worker_count" {
  description = "Number of tasks of `worker`."
  type        = number
  default     = 1
}

locals {
  image = "public.ecr.aws/docker/library/busybox:1.37"

  service_connect = {
    for name in ["orders", "web"] : name => !var.connected ? null : {
      namespace_arn = aws_service_discovery_private_dns_namespace.this.arn
      server        = { dns_name = "${name}.transitions.internal" }
    }
  }
}

resource "aws_vpc" "this" {
  cidr_block           = "10.9.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "this" {
  for_each = { a = "10.9.1.0/24", c = "10.9.2.0/24" }

  vpc_id            = aws_vpc.this.id
  availability_zone = "ap-northeast-1${each.key}"
  cidr_block        = each.value
}

resource "aws_security_group" "this" {
  name   = "transitions"
  vpc_id = aws_vpc.this.id
}

resource "aws_lb" "this" {
  name            = "transitions"
  internal        = true
  security_groups = [aws_security_group.this.id]
  subnets         = values(aws_subnet.this)[*].id
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_ecs_cluster" "this" {
  name = "transitions"
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  name = "transitions.internal"
  vpc  = aws_vpc.this.id
}

resource "aws_service_discovery_service" "this" {
  for_each = toset(["first", "orders", "second", "web"])

  name = each.key

  dns_config {
    namespace_id = aws_service_discovery_private_dns_namespace.this.id

    dns_records {
      ttl  = 10
      type = "A"
    }
  }
}

# Callee of `web`.
module "orders" {
  source = "../../../modules/ecs_service"

  name       = "transitions-orders"
  service    = "orders"
  port       = 8080
  containers = { orders = { image = local.image } }

  cluster_arn           = aws_ecs_cluster.this.arn
  subnet_ids            = values(aws_subnet.this)[*].id
  security_group_ids    = [aws_security_group.this.id]
  discovery_service_arn = var.connected ? null : aws_service_discovery_service.this["orders"].arn
  service_connect       = local.service_connect["orders"]

  autoscaling = {
    min      = 1
    max      = 4
    schedule = { sale = { expression = "cron(0 8 * * ? *)", min = 2, max = 8 } }
  }
}

module "web" {
  source = "../../../modules/ecs_service"

  name       = "transitions-web"
  service    = "web"
  port       = var.listened_port
  containers = { web = { image = local.image } }

  cluster_arn           = aws_ecs_cluster.this.arn
  subnet_ids            = values(aws_subnet.this)[*].id
  security_group_ids    = [aws_security_group.this.id]
  discovery_service_arn = var.connected ? null : aws_service_discovery_service.this["web"].arn
  service_connect       = local.service_connect["web"]
  start_after           = var.connected ? [module.orders.service_name] : []

  autoscaling = { min = 1, max = 4, requests_per_target = 100 }

  load_balancer = {
    listener_arn = aws_lb_listener.this.arn
    paths        = ["/*"]
    priority     = 10
    vpc_id       = aws_vpc.this.id
  }
}

module "mail" {
  source = "../../../modules/ecs_service"

  name       = "transitions-mail"
  service    = "mail"
  port       = 8080
  containers = { mail = { image = local.image } }

  cluster_arn           = aws_ecs_cluster.this.arn
  subnet_ids            = values(aws_subnet.this)[*].id
  security_group_ids    = [aws_security_group.this.id]
  discovery_service_arn = aws_service_discovery_service.this[var.registry].arn
}

module "worker" {
  source = "../../../modules/ecs_service"

  name       = "transitions-worker"
  service    = "worker"
  containers = { worker = { image = local.image } }

  cluster_arn          = aws_ecs_cluster.this.arn
  subnet_ids           = values(aws_subnet.this)[*].id
  security_group_ids   = [aws_security_group.this.id]
  capacity_providers   = { (var.spot ? "FARGATE_SPOT" : "FARGATE") = { weight = 1 } }
  desired_count        = var.worker_count
  force_new_deployment = var.force_new_deployment
}
