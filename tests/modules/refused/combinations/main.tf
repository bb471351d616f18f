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
  one_off    = true
  schedule   = { expression = "rate(1 hour)" }

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

module "discovery_type" {
  source = "../../../../modules/discovery"

  namespace = "shop"
  type      = "http"
  vpc_id    = "vpc-0123456789abcdef0"
  services  = {}
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
    "Public-1" = { cidr_block = "10.1.1.0/24", availability_zone = "1a" }
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
    "Private-1" = { cidr_block = "10.1.2.0/24", availability_zone = "1a", nat_subnet = "public_1" }
  }
}

module "security_egress" {
  source = "../../../../modules/security"

  name   = "shop-dev"
  vpc_id = "vpc-0123456789abcdef0"
  groups = { web = { description = "Security group of web" } }

  ingress = {}

  egress = {
    "description" = { group = "web", to_cidr = "0.0.0.0/0", port = 80, description = "web -> orders" }
    "no port"     = { group = "web", to_cidr = "0.0.0.0/0", description = "no port" }
    "port"        = { group = "web", to_cidr = "0.0.0.0/0", port = 0, description = "port" }
    "protocol"    = { group = "web", to_cidr = "0.0.0.0/0", port = 80, protocol = "all", description = "protocol" }
  }
}

module "security_egress_groups" {
  source = "../../../../modules/security"

  name   = "shop-dev"
  vpc_id = "vpc-0123456789abcdef0"
  groups = { web = { description = "Security group of web" } }

  egress = {
    "group"       = { group = "stock", to_group = "web", port = 80, description = "group" }
    "other group" = { group = "web", to_group = "stock", port = 80, description = "other group" }
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
    "description" = { group = "orders", from_group = "web", port = 80, description = "web -> orders" }
    "group"       = { group = "stock", from_group = "web", port = 80, description = "group" }
    "no port"     = { group = "orders", from_group = "web", description = "no port" }
    "other group" = { group = "orders", from_group = "stock", port = 80, description = "other group" }
    "port"        = { group = "orders", from_group = "web", port = 65536, description = "port" }
    "protocol"    = { group = "orders", from_group = "web", port = 80, protocol = "all", description = "protocol" }
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
