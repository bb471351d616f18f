data "aws_vpc" "this" {
  id   = var.vpc.id
  tags = var.vpc.tags

  lifecycle {
    postcondition {
      condition     = self.enable_dns_hostnames && self.enable_dns_support
      error_message = "The VPC must have DNS support and DNS host names, or service names do not resolve."
    }
  }
}
