module "dashboard" {
  source = "../.."

  name     = "shop-dev"
  region   = "ap-northeast-1"
  services = ["orders", "web"]

  load_balancer_arn_suffix = "app/shop-dev/0123456789abcdef"
}
