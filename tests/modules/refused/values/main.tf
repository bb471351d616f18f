# Values that are refused by themselves. A variable with several rules is refused in several calls, because a rule that
# reads another variable waits until that one is right.

module "cluster" {
  source = "../../../../modules/cluster"

  name               = "shop-dev"
  capacity_providers = ["FARGATE_SPOT"]
  container_insights = "on"
}

module "dashboard" {
  source = "../../../../modules/dashboard"

  name     = "shop-dev"
  region   = "ap-northeast-1"
  services = [for number in range(501) : "service-${number}"]
}

module "discovery" {
  source = "../../../../modules/discovery"

  namespace     = "Shop"
  namespace_arn = "ns-0123456789abcdef"
  vpc_id        = "vpc-0123456789abcdef0"
  services      = { orders_1 = {} }
}

module "discovery_ttl" {
  source = "../../../../modules/discovery"

  namespace = "shop"
  vpc_id    = "vpc-0123456789abcdef0"
  services  = { orders = { record_type = "AAAA", ttl = -1 } }
}

module "ecs_service" {
  source = "../../../../modules/ecs_service"

  name    = "shop-development-a-name-that-is-a-good-deal-longer-than-54"
  service = "the_orders"

  containers = { the_orders = { image = "orders" } }

  cluster_arn        = "shop-dev"
  subnet_ids         = []
  security_group_ids = []

  alarms             = { cpu = 101, p99_milliseconds = 0 }
  autoscaling        = { min = 2, max = 1, cpu = 60 }
  capacity_providers = { EC2 = { weight = 1 } }
  cpu                = 300
  desired_count      = 1.5
  launch_type        = "EC2"
  load_balancer      = { listener_arn = "listener", vpc_id = "vpc-0123456789abcdef0", priority = 1 }
  port               = 0
  log_mode           = "lossy"
  volumes            = { data = { efs = { file_system_id = "fs-0", access_point_id = "fsap-0", root_directory = "/data" } } }

  deployment_maximum_percent         = 100
  deployment_minimum_healthy_percent = 101

  discovery_record_type = "AAAA"
}

module "ecs_service_more" {
  source = "../../../../modules/ecs_service"

  name    = "shop-dev-orders"
  service = "orders"

  containers = {
    orders = {
      image        = "an image"
      environment  = { "STOCK-URL" = "http://stock", TOKEN = "x" }
      secrets      = { TOKEN = {}, PASSWORD = { secret = "shop/db-secret" } }
      health_check = { command = ["python3", "-m", "common.healthcheck"] }
      depends_on   = { orders = "ready" }
      ports        = { admin = { container_port = 0 } }
      stop_timeout = 1
      ulimits      = { nofile = { soft_limit = 2, hard_limit = 1 } }
      user         = "an app"
    }
    "the proxy" = {
      image        = "proxy"
      health_check = { command = ["CMD", "true"], interval = 1 }
      ulimits      = { nproc = { soft_limit = 1, hard_limit = 2 } }
    }
  }

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  autoscaling        = { min = 1, max = 2, cpu = 0, schedule = { sale = { expression = "8:00", min = 1, max = 2 } } }
  capacity_providers = { FARGATE = { weight = 0 } }
}

module "ecs_service_rest" {
  source = "../../../../modules/ecs_service"

  name    = "shop-dev-orders"
  service = "orders"

  containers = { orders = { image = "orders" } }

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  schedule           = { expression = "hourly" }
  capacity_providers = { FARGATE = { base = 1, weight = 1 }, FARGATE_SPOT = { base = 1, weight = 1 } }
}

module "existing_network" {
  source = "../../../../modules/existing_network"

  vpc             = {}
  public_subnets  = { ids = ["subnet-0123456789abcdef0"], tags = { tier = "public" } }
  private_subnets = {}
}

module "ingress" {
  source = "../../../../modules/ingress"

  name               = "shop"
  account_id         = "123"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
  idle_timeout       = 0
  alarms             = { errors = 0 }
}

module "network" {
  source = "../../../../modules/network"

  name           = "shop"
  cidr_block     = "10.0.0.1/16"
  public_subnets = {}
}

module "network_prefix" {
  source = "../../../../modules/network"

  name           = "shop-dev"
  cidr_block     = "10.0.0.0/8"
  public_subnets = {}
}

module "registry" {
  source = "../../../../modules/registry"

  name          = "shop-"
  pull_accounts = ["12345"]
  repositories  = ["Orders"]
}

module "security" {
  source = "../../../../modules/security"

  name   = "Shop"
  vpc_id = "vpc-0123456789abcdef0"

  groups = {
    _orders = { description = "Security group of <orders>" }
  }
}

module "security_ingress" {
  source = "../../../../modules/security"

  name   = "shop-dev"
  vpc_id = "vpc-0123456789abcdef0"

  groups = {
    orders = { description = "Security group of orders" }
    web    = { description = "Security group of web" }
  }

  ingress = {
    "both" = { group = "orders", from_group = "web", from_cidr = "0.0.0.0/0", port = 80, description = "both" }
  }
}

module "security_egress" {
  source = "../../../../modules/security"

  name   = "shop-dev"
  vpc_id = "vpc-0123456789abcdef0"

  groups = {
    orders = { description = "Security group of orders" }
    web    = { description = "Security group of web" }
  }

  egress = {
    "both"        = { group = "web", to_group = "orders", to_cidr = "0.0.0.0/0", port = 80, description = "both" }
    "prefix list" = { group = "web", to_prefix_list = "s3", port = 443, description = "prefix list" }
  }
}
