module "network" {
  source = "../.."

  vpc = { tags = { Name = "shared" } }

  public_subnets  = { tags = { tier = "public" } }
  private_subnets = { tags = { tier = "private" } }
}
