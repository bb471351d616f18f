module "security" {
  source = "../.."

  name   = "shop-dev"
  vpc_id = "vpc-0123456789abcdef0"

  groups = {
    dns    = { description = "Security group of dns" }
    orders = { description = "Security group of orders" }
    web    = { description = "Security group of web" }
  }

  ingress = {
    "internet->web:80" = { group = "web", from_cidr = "0.0.0.0/0", port = 80, description = "internet to web" }
    "web->dns:53/udp"  = { group = "dns", from_group = "web", port = 53, protocol = "udp", description = "web to dns" }
    "web->orders:8080" = { group = "orders", from_group = "web", port = 8080, description = "web to orders" }
  }

  egress = {
    "orders->internet" = { group = "orders", to_cidr = "0.0.0.0/0", protocol = "-1", description = "to the internet" }
    "orders->s3:443"   = { group = "orders", to_prefix_list = "pl-61a54008", port = 443, description = "orders to S3" }
    "web->dns:53/udp"  = { group = "web", to_group = "dns", port = 53, protocol = "udp", description = "web to dns" }
    "web->orders:8080" = { group = "web", to_group = "orders", port = 8080, description = "web to orders" }
  }
}
