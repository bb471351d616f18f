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

module "dashboard" {
  source = "../../../modules/dashboard/examples/basic"
}

module "discovery" {
  source = "../../../modules/discovery/examples/basic"
}

module "ecs_service" {
  source = "../../../modules/ecs_service/examples/basic"
}

module "existing_network" {
  source = "../../../modules/existing_network/examples/basic"
}

module "network_by_tags" {
  source = "../../../modules/existing_network"

  vpc             = { tags = { Name = "shared" } }
  private_subnets = { tags = { tier = "private" } }
}

module "network_by_id" {
  source = "../../../modules/existing_network"

  vpc            = { id = module.network_by_tags.vpc_id }
  public_subnets = { ids = values(module.network_by_tags.private_subnet_ids) }
}

output "network_by_tags" {
  value = module.network_by_tags
}

output "network_by_id" {
  value = module.network_by_id
}

module "ingress" {
  source = "../../../modules/ingress/examples/basic"
}

module "internal_ingress" {
  source = "../../../modules/ingress"

  name               = "shop-dev"
  account_id         = "123456789012"
  internal           = true
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_ids = ["sg-0123456789abcdef0"]

  access_logs  = false
  idle_timeout = 120
  web_acl_arn  = "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/shop/12345678-1234-1234-1234-123456789012"
}

module "network" {
  source = "../../../modules/network/examples/basic"
}

module "public_network" {
  source = "../../../modules/network"

  name           = "shop-dev"
  cidr_block     = "10.0.0.0/16"
  public_subnets = { public_1 = { availability_zone = "ap-northeast-1a", cidr_block = "10.0.1.0/24" } }
}

module "closed_network" {
  source = "../../../modules/network"

  name            = "shop-dev"
  cidr_block      = "10.0.0.0/16"
  public_subnets  = {}
  private_subnets = { private_1 = { availability_zone = "ap-northeast-1a", cidr_block = "10.0.128.0/24" } }
  flow_logs       = { kms_key_arn = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
}

module "registry" {
  source = "../../../modules/registry/examples/basic"
}

module "shared_registry" {
  source = "../../../modules/registry"

  name          = "shop-prod"
  repositories  = ["web"]
  kms_key_arn   = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  pull_accounts = ["210987654321"]
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

module "balanced" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-a-service-with-a-long-name"
  service = "a-service-with-a-long-name"
  image   = "public.ecr.aws/nginx/nginx:1.29"

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  load_balancer = {
    listener_arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:listener/app/shop-dev/50dc6c495c0c9188/f2f7dc8efc522ab2"
    vpc_id       = "vpc-0123456789abcdef0"
    priority     = 100
    paths        = ["/api/*"]
    hosts        = ["shop.example.com"]
    health_check = { path = "/healthz", interval = 5 }

    deregistration_delay = 60
  }

  port         = 80
  health_check = { command = ["CMD", "true"], start_period = 90 }
  autoscaling  = { min = 2, max = 8, requests_per_target = 1000 }
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

  alarms            = { cpu = 80, topic_arns = ["arn:aws:sns:ap-northeast-1:123456789012:on-call"] }
  ephemeral_storage = 50
  ulimits           = { nofile = { soft_limit = 4096, hard_limit = 65535 } }
}
