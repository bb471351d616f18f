module "registry" {
  source = "../.."

  name         = "shop-dev"
  repositories = ["orders", "web"]
}
