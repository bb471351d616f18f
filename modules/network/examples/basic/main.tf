module "network" {
  source = "../.."

  name       = "shop-dev"
  cidr_block = "10.0.0.0/16"

  public_subnets = {
    public_1 = { availability_zone = "ap-northeast-1a", cidr_block = "10.0.1.0/24" }
    public_2 = { availability_zone = "ap-northeast-1c", cidr_block = "10.0.2.0/24" }
  }

  private_subnets = {
    private_1 = { availability_zone = "ap-northeast-1a", cidr_block = "10.0.128.0/24", nat_subnet = "public_1" }
    private_2 = { availability_zone = "ap-northeast-1c", cidr_block = "10.0.129.0/24", nat_subnet = "public_1" }
  }

  endpoints                   = ["logs", "s3"]
  endpoint_security_group_ids = ["sg-0123456789abcdef0"]

  flow_logs = { retention_in_days = 30 }
}
