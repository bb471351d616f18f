module "network" {
  source = "../.."

  name       = "shop-dev"
  cidr_block = "10.0.0.0/16"

  public_subnets = {
    public_1 = { cidr_block = "10.0.1.0/24", availability_zone = "ap-northeast-1a" }
    public_2 = { cidr_block = "10.0.2.0/24", availability_zone = "ap-northeast-1c" }
  }
}
