resource "aws_lb" "this" {
  name               = var.name
  load_balancer_type = "application"
  internal           = var.internal
  subnets            = var.subnet_ids
  security_groups    = var.security_group_ids

  # Protects against request smuggling:
  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/desync-mitigation-mode.html
  desync_mitigation_mode     = "defensive"
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  idle_timeout               = var.idle_timeout

  dynamic "access_logs" {
    for_each = aws_s3_bucket.logs

    content {
      enabled = true
      bucket  = access_logs.value.bucket
    }
  }

  # AWS writes a test object before it accepts the bucket.
  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_wafv2_web_acl_association" "this" {
  for_each = var.web_acl_arn == null ? toset([]) : toset(["this"])

  resource_arn = aws_lb.this.arn
  web_acl_arn  = var.web_acl_arn
}

resource "aws_route53_record" "this" {
  for_each = var.hosted_zone_id == null ? toset([]) : toset(["this"])

  zone_id = var.hosted_zone_id
  name    = var.domain
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
