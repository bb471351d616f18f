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
  flow_logs       = { kms_key_arn = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab" }
}

module "registry" {
  source = "../../../modules/registry/examples/basic"
}

module "shared_registry" {
  source = "../../../modules/registry"

  name          = "shop-prod"
  repositories  = ["web"]
  kms_key_arn   = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"
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

  containers = {
    web = { image = "public.ecr.aws/nginx/nginx:1.29", command = ["nginx", "-g", "daemon off;"] }
  }

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

  containers = { a-service-with-a-long-name = { image = "public.ecr.aws/nginx/nginx:1.29", health_check = { command = ["CMD", "true"], start_period = 90 } } }


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

  port        = 80
  autoscaling = { min = 2, max = 8, requests_per_target = 1000 }
  alarms      = { errors = 5, p99_milliseconds = 300, running = false }
}

module "worker" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-worker"
  service = "worker"

  containers = {
    worker = { image = "public.ecr.aws/docker/library/busybox:1.37", stop_timeout = 120 }
  }

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  log_retention_in_days = 7
  desired_count         = 3
  wait_for_steady_state = false

  deployment_maximum_percent         = 150
  deployment_minimum_healthy_percent = 50
}

module "app" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-app"
  service = "app"

  containers = {
    app = {
      image       = "public.ecr.aws/docker/library/busybox:1.37"
      entry_point = ["/bin/sh", "-c"]
      user        = "1000:1000"
      read_only   = false
      ulimits     = { nofile = { soft_limit = 4096, hard_limit = 65535 } }
    }
  }

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  alarms            = { cpu = 80, topic_arns = ["arn:aws:sns:ap-northeast-1:123456789012:on-call"] }
  ephemeral_storage = 50
}

module "exec_cluster" {
  source = "../../../modules/cluster"

  name                  = "shop-dev"
  exec                  = true
  kms_key_arn           = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"
  log_retention_in_days = 30
}

# All that a task may have.
module "full" {
  source = "../../../modules/ecs_service"

  name           = "shop-dev-shop"
  service        = "shop"
  port           = 80
  repository_arn = "arn:aws:ecr:ap-northeast-1:123456789012:repository/shop-dev-shop"
  tags           = { team = "shop" }

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  containers = {
    shop = {
      image       = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/shop-dev-shop:1"
      read_only   = false
      ports       = { dns = { container_port = 5353, protocol = "udp" }, rpc = { container_port = 9090, app_protocol = "grpc" } }
      environment = { LOG_LEVEL = "info" }
      secrets = {
        API_KEY  = { parameter = "/shop/api-key" }
        PASSWORD = { secret = "shop/db", json_key = "password" }
        USER     = { secret = "shop/db", json_key = "user" }
      }
      mounts = {
        archive = { container_path = "/archive", read_only = true }
        data    = { container_path = "/data" }
        scratch = { container_path = "/scratch" }
      }
      depends_on = { setup = "success", proxy = "healthy" }
    }
    proxy = {
      image        = "210987654321.dkr.ecr.ap-northeast-1.amazonaws.com/envoy:1.31"
      cpu          = 64
      memory       = 128
      ports        = { http = { container_port = 8081 } }
      health_check = { command = ["CMD", "check"] }
      secrets = {
        TOKEN = { parameter = "token" }
        KEY   = { secret = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:proxy-key-AbCdEf" }
      }
    }
    setup = {
      image     = "public.ecr.aws/docker/library/busybox:1.37"
      essential = false
      mounts    = { scratch = { container_path = "/scratch" } }
    }
  }

  volumes = {
    archive = { efs = { file_system_id = "fs-0123456789abcdef1", iam = true, root_directory = "/archive" } }
    data    = { efs = { file_system_id = "fs-0123456789abcdef0", iam = true, access_point_id = "fsap-0123456789abcdef0" } }
    scratch = {}
  }

  task_role = {
    policies = ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"]
    statements = [
      {
        sid        = "ReadOrders"
        actions    = ["s3:GetObject"]
        resources  = ["arn:aws:s3:::shop-orders/*"]
        conditions = [{ test = "StringEquals", variable = "aws:ResourceAccount", values = ["123456789012"] }]
      },
      { effect = "deny", actions = ["s3:DeleteObject"], resources = ["*"] },
    ]
  }

  exec_log_group_arn      = "arn:aws:logs:ap-northeast-1:123456789012:log-group:/ecs-exec/shop-dev"
  kms_key_arn             = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"
  log_mode                = "non-blocking"
  log_max_buffer_size_mib = 4
}

module "routed" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-routed"
  service = "routed"

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  containers = {
    routed     = { image = "public.ecr.aws/docker/library/busybox:1.37" }
    log_router = { image = "public.ecr.aws/aws-observability/aws-for-fluent-bit:3.4.16" }
  }

  volumes = {
    data = { efs = { file_system_id = "fs-0123456789abcdef0" } }
  }

  log_routing = { Name = "kinesis_firehose", delivery_stream = "shop" }
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

  containers = { market = { image = "public.ecr.aws/docker/library/busybox:1.37" } }

  port = 9000

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

  containers = { report = { image = "public.ecr.aws/docker/library/busybox:1.37" } }


  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  schedule    = { expression = "cron(0 3 * * ? *)", time_zone = "Europe/Berlin", retries = 0, maximum_event_age = 600 }
  kms_key_arn = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"
  alarms      = {}
}

module "migration" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-migration"
  service = "migration"

  containers = { migration = { image = "public.ecr.aws/docker/library/busybox:1.37" } }

  one_off = true

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
}

module "console" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-console"
  service = "console"
  port    = 8080

  containers = {
    console = {
      image = "public.ecr.aws/docker/library/busybox:1.37"
      ports = { admin = { container_port = 9090, app_protocol = "grpc" } }
    }
  }

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  service_connect = {
    namespace_arn = "arn:aws:servicediscovery:ap-northeast-1:123456789012:namespace/ns-0123456789abcdef"
    server        = { dns_name = "console.dev.shop.internal", port_name = "admin" }
  }
}

module "connected" {
  source = "../../../modules/ecs_service"

  name    = "shop-dev-connected"
  service = "connected"

  containers = { connected = { image = "public.ecr.aws/docker/library/busybox:1.37" } }

  port = 8080

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  service_connect = {
    namespace_arn = "arn:aws:servicediscovery:ap-northeast-1:123456789012:namespace/ns-0123456789abcdef"
    server        = { dns_name = "connected.dev.shop.internal", request_timeout = 30 }
  }
}
