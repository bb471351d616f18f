# Values that are refused because of one another: Terraform finds these only in a plan, and only if each value is right by
# itself.

provider "aws" {
  region = "ap-northeast-1"
}

module "ecs_service" {
  source = "../../../../modules/ecs_service"

  name    = "shop-dev-orders"
  service = "orders"

  containers = {
    orders = { image = "orders", environment = { PORT = "8080" }, mounts = { data = { container_path = "/data" } } }
  }

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  memory                  = 4096
  port                    = 8080
  log_max_buffer_size_mib = 4

  autoscaling = { min = 1, max = 2 }
  schedule    = { expression = "rate(1 hour)" }
}

module "ecs_service_without_a_port" {
  source = "../../../../modules/ecs_service"

  name    = "shop-dev-orders"
  service = "orders"

  one_off     = true
  autoscaling = { min = 1, max = 2 }
  containers  = { orders = { image = "orders" } }

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  service_connect = {
    namespace_arn = "arn:aws:servicediscovery:ap-northeast-1:123456789012:namespace/ns-0123456789abcdef"
    server        = { dns_name = "orders.dev.shop.internal" }
  }
}

module "ecs_service_alone" {
  source = "../../../../modules/ecs_service"

  name    = "shop-dev-orders"
  service = "orders"

  containers = {}

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
}

module "discovery" {
  source = "../../../../modules/discovery"

  namespace = "shop"
  type      = "service_connect"
  vpc_id    = "vpc-0123456789abcdef0"
  services  = { orders = {} }
}

module "ingress" {
  source = "../../../../modules/ingress"

  name               = "shop"
  account_id         = "123456789012"
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_ids = ["sg-0123456789abcdef0"]
  hosted_zone_id     = "Z0123456789ABCDEFGHIJ"
}

module "network" {
  source = "../../../../modules/network"

  name       = "shop-dev"
  cidr_block = "10.0.0.0/16"

  public_subnets = {
    outside = { cidr_block = "10.1.1.0/24", availability_zone = "ap-northeast-1a" }
  }
}

module "network_endpoints" {
  source = "../../../../modules/network"

  name           = "shop-dev"
  cidr_block     = "10.0.0.0/16"
  public_subnets = {}
  endpoints      = ["s3"]
}

module "network_groups" {
  source = "../../../../modules/network"

  name            = "shop-dev"
  cidr_block      = "10.0.0.0/16"
  public_subnets  = {}
  private_subnets = { private_1 = { cidr_block = "10.0.128.0/24", availability_zone = "ap-northeast-1a" } }

  endpoints                   = ["logs", "s3"]
  endpoint_security_group_ids = []
}

module "network_private" {
  source = "../../../../modules/network"

  name           = "shop-dev"
  cidr_block     = "10.0.0.0/16"
  public_subnets = {}

  private_subnets = {
    outside = { cidr_block = "10.1.2.0/24", availability_zone = "ap-northeast-1a", nat_subnet = "public_1" }
  }
}

module "security" {
  source = "../../../../modules/security"

  name   = "shop-dev"
  vpc_id = "vpc-0123456789abcdef0"

  groups = {
    orders = { description = "Security group of orders" }
    web    = { description = "Security group of web" }
  }

  ingress = {
    "stock->orders:8080" = { group = "orders", from_group = "stock", port = 8080, description = "stock to orders" }
  }

  egress = {
    "stock->orders:8080" = { group = "stock", to_group = "orders", port = 8080, description = "stock to orders" }
  }
}

module "ecs_service_routed" {
  source = "../../../../modules/ecs_service"

  name    = "shop-dev-orders"
  service = "orders"

  containers  = { orders = { image = "orders" } }
  log_routing = { Name = "null" }

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
}
