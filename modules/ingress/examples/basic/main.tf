module "ingress" {
  source = "../.."

  name               = "shop-prod"
  account_id         = "123456789012"
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_ids = ["sg-0123456789abcdef0"]

  certificate_arn     = "arn:aws:acm:ap-northeast-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  domain              = "shop.example.com"
  hosted_zone_id      = "Z0123456789ABCDEFGHIJ"
  deletion_protection = true

  alarms = { topic_arns = ["arn:aws:sns:ap-northeast-1:123456789012:on-call"] }
}
