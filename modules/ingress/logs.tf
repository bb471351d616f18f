locals {
  # The name instead of the bucket's attribute, so that a plan shows the bucket's policy.
  log_bucket     = "${var.name}-access-logs-${var.account_id}"
  log_bucket_arn = "arn:${data.aws_partition.current.partition}:s3:::${local.log_bucket}"
}

data "aws_partition" "current" {}

resource "aws_s3_bucket" "logs" {
  for_each = var.access_logs ? toset(["this"]) : toset([])

  bucket        = local.log_bucket
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "logs" {
  for_each = aws_s3_bucket.logs

  bucket                  = each.value.bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Load balancers cannot write to a bucket that is encrypted with a KMS key:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  for_each = aws_s3_bucket.logs

  bucket = each.value.bucket

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# A load balancer writes each object once, so a second version or a deletion points to tampering.
resource "aws_s3_bucket_versioning" "logs" {
  for_each = aws_s3_bucket.logs

  bucket = each.value.bucket

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  for_each = aws_s3_bucket.logs

  bucket = each.value.bucket

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.log_retention_in_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.logs]
}

resource "aws_s3_bucket_policy" "logs" {
  for_each = aws_s3_bucket.logs

  bucket = each.value.bucket

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "WriteLogs"
        Effect    = "Allow"
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${local.log_bucket_arn}/AWSLogs/${var.account_id}/*"
      },
      {
        Sid       = "DenyWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.log_bucket_arn, "${local.log_bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  # S3 rejects concurrent changes of a bucket's access.
  depends_on = [aws_s3_bucket_public_access_block.logs]
}
