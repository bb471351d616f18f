# Values that are refused because of one another: Terraform finds these only in a plan, and only if each value is right by
# itself.

provider "aws" {
  region = "ap-northeast-1"
}

module "ecs_service" {
  source = "../../../../modules/ecs_service"

  name    = "shop-dev-orders"
  service = "orders"
  image   = "orders"

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  environment = { PORT = "8080" }
  memory      = 4096
  port        = 8080
  autoscaling = { min = 1, max = 2 }
  schedule    = { expression = "rate(1 hour)" }
}

module "ecs_service_without_a_port" {
  source = "../../../../modules/ecs_service"

  one_off     = true
  autoscaling = { min = 1, max = 2 }

  name    = "shop-dev-orders"
  service = "orders"
  image   = "orders"

  cluster_arn        = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]

  service_connect = {
    namespace_arn = "arn:aws:servicediscovery:ap-northeast-1:123456789012:namespace/ns-0123456789abcdef"
    server        = { dns_name = "orders.dev.shop.internal" }
  }
}

module "discovery" {
  source = "../../../../modules/discovery"

  namespace = "shop"
  type      = "service_connect"
  vpc_id    = "vpc-0123456789abcdef0"
  services  = { orders = {} }
}

module "network" {
  source = "../../../../modules/network"

  name       = "shop-dev"
  cidr_block = "10.0.0.0/16"

  public_subnets = {
    outside = { cidr_block = "10.1.1.0/24", availability_zone = "ap-northeast-1a" }
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
