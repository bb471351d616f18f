module "cluster" {
  source = "../.."

  name = "shop-dev"
}
