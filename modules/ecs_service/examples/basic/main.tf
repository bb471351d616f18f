module "orders" {
  source = "../.."

  name    = "shop-dev-orders"
  service = "orders"
  port    = 8080

  cluster_arn           = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
  subnet_ids            = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_ids    = ["sg-0123456789abcdef0"]
  discovery_service_arn = "arn:aws:servicediscovery:ap-northeast-1:123456789012:service/srv-0123456789abcdef"
  repository_arn        = "arn:aws:ecr:ap-northeast-1:123456789012:repository/shop-dev-orders"

  containers = {
    orders = {
      image        = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/shop-dev-orders@sha256:0a4d55a8d778e5022fab701977c5d840bbc486d0aa9b9a4f1f0f3f0c0a3e2b17"
      environment  = { STOCK_URL = "http://stock.dev.shop.internal:8080" }
      health_check = { command = ["CMD", "python3", "-m", "common.healthcheck"] }
    }
  }

  cpu    = 512
  memory = 1024
}
