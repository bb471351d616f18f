locals {
  listeners = merge(
    { http = { port = 80, protocol = "HTTP", redirected = var.certificate_arn != null } },
    { for certificate in var.certificate_arn[*] : "https" => { port = 443, protocol = "HTTPS", redirected = false } },
  )
}

resource "aws_lb_listener" "this" {
  for_each = local.listeners

  load_balancer_arn = aws_lb.this.arn
  port              = each.value.port
  protocol          = each.value.protocol

  # TLS 1.2 and 1.3, only with forward secrecy and authenticated encryption:
  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
  ssl_policy      = each.key == "https" ? "ELBSecurityPolicy-TLS13-1-2-Res-2021-06" : null
  certificate_arn = each.key == "https" ? var.certificate_arn : null

  default_action {
    type = each.value.redirected ? "redirect" : "fixed-response"

    dynamic "redirect" {
      for_each = each.value.redirected ? ["https"] : []

      content {
        status_code = "HTTP_301"
        protocol    = "HTTPS"
        port        = "443"
      }
    }

    # For requests that no service's rule matches.
    dynamic "fixed_response" {
      for_each = each.value.redirected ? [] : ["not found"]

      content {
        status_code  = "404"
        content_type = "text/plain"
        message_body = "Not found"
      }
    }
  }
}
