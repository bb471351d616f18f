module "discovery" {
  source = "../.."

  namespace = "dev.shop.internal"
  vpc_id    = "vpc-0123456789abcdef0"

  services = {
    orders = {}
    web    = { ttl = 60 }
  }
}
