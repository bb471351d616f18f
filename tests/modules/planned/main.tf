# Every module's example, and the cases that no example shows, in one plan: each plan costs seconds of fixed time.

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

  default_tags {
    tags = {
      application = "shop"
      environment = "dev"
    }
  }
}

module "cluster" {
  source = "../../../modules/cluster/examples/basic"
}

module "discovery" {
  source = "../../../modules/discovery/examples/basic"
}

module "ecs_service" {
  source = "../../../modules/ecs_service/examples/basic"
}

module "network" {
  source = "../../../modules/network/examples/basic"
}

module "registry" {
  source = "../../../modules/registry/examples/basic"
}

module "security" {
  source = "../../../modules/security/examples/basic"
}

module "shared_group" {
  source = "../../../modules/security"

  name   = "shop-dev"
  vpc_id = "vpc-0123456789abcdef0"

  groups = {
    app = { description = "Security Group for Application" }
  }

  ingress = {
    "app->app"         = { group = "app", from_group = "app", protocol = "-1", description = "Allow from This" }
    "internet->app:80" = { group = "app", from_cidr = "0.0.0.0/0", port = 80, description = "Allow from Any HTTP" }
  }

  egress = {
    "app->internet" = { group = "app", to_cidr = "0.0.0.0/0", protocol = "-1", description = "Allow to Any" }
  }
}

module "autoscaled" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-web"
  service = "web"
  image   = "public.ecr.aws/nginx/nginx:1.29"
  command = ["nginx", "-g", "daemon off;"]

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
  assign_public_ip   = true

  port               = 80
  architecture       = "arm64"
  capacity_providers = { FARGATE = { base = 1, weight = 1 }, FARGATE_SPOT = { weight = 3 } }
  autoscaling        = { min = 2, max = 8, cpu = 60 }
}

module "worker" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-worker"
  service = "worker"
  image   = "public.ecr.aws/docker/library/busybox:1.37"

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  stop_timeout          = 120
  log_retention_in_days = 7
  desired_count         = 3
  wait_for_steady_state = false

  deployment_maximum_percent         = 150
  deployment_minimum_healthy_percent = 50
}

module "app" {
  source = "../../../modules/ecs_service"

  name        = "shop-dev-app"
  service     = "app"
  image       = "public.ecr.aws/docker/library/busybox:1.37"
  entry_point = ["/bin/sh", "-c"]
  user        = "1000:1000"
  read_only   = false

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  ephemeral_storage = 50
  ulimits           = { nofile = { soft_limit = 4096, hard_limit = 65535 } }
}

module "namespace_of_service_connect" {
  source = "../../../modules/discovery"

  namespace = "dev.shop.internal"
  type      = "service_connect"
  vpc_id    = "vpc-0123456789abcdef0"
  services  = {}
}

module "existing_namespace" {
  source = "../../../modules/discovery"

  namespace     = "dev.shop.internal"
  namespace_arn = "arn:aws:servicediscovery:ap-northeast-1:123456789012:namespace/ns-0123456789abcdef"
  vpc_id        = "vpc-0123456789abcdef0"
  services      = { orders = { record_type = "SRV" } }
}

module "market" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-market"
  service = "market"
  image   = "public.ecr.aws/docker/library/busybox:1.37"
  port    = 9000

  cluster_arn           = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids            = ["subnet-0123456789abcdef0"]
  security_group_ids    = ["sg-0123456789abcdef0"]
  discovery_service_arn = "arn:aws:servicediscovery:ap-northeast-1:123456789012:service/srv-0123456789abcdef"
  discovery_record_type = "SRV"

  autoscaling = {
    min      = 2
    max      = 8
    memory   = 80
    schedule = { sale = { expression = "cron(0 8 * * ? *)", time_zone = "Asia/Tokyo", min = 4, max = 16 } }
  }

  deployment_alarms          = ["shop-errors"]
  deployment_circuit_breaker = false
}

module "report" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-report"
  service = "report"
  image   = "public.ecr.aws/docker/library/busybox:1.37"

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  schedule = { expression = "cron(0 3 * * ? *)", time_zone = "Europe/Berlin", retries = 0, maximum_event_age = 600 }
}

module "migration" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-migration"
  service = "migration"
  image   = "public.ecr.aws/docker/library/busybox:1.37"
  one_off = true

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
}

module "connected" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-connected"
  service = "connected"
  image   = "public.ecr.aws/docker/library/busybox:1.37"
  port    = 8080

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  service_connect = {
    namespace_arn = "arn:aws:servicediscovery:ap-northeast-1:123456789012:namespace/ns-0123456789abcdef"
    server        = { dns_name = "connected.dev.shop.internal", request_timeout = 30 }
  }
}
