resource "aws_ecr_repository" "this" {
  for_each = var.repositories

  name                 = "${var.name}-${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = false

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  lifecycle {
    # ECR cannot change it: a new key would replace the repository and delete its images. New repositories get the key.
    ignore_changes = [encryption_configuration]
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name

  # Only untagged images expire: no rule can know which tagged ones a lock file names; `prune` deletes those.
  # ECR keeps images that an index refers to, and signatures for as long as the images that they belong to.
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Expire untagged images after 14 days"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
      action       = { type = "expire" }
    }]
  })
}

data "aws_partition" "current" {}

# Other accounts may pull. Only this one pushes.
data "aws_iam_policy_document" "pull" {
  for_each = length(var.pull_accounts) == 0 ? toset([]) : toset(["this"])

  statement {
    sid     = "PullFromOtherAccounts"
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

    principals {
      type = "AWS"
      identifiers = [
        for account in var.pull_accounts : "arn:${data.aws_partition.current.partition}:iam::${account}:root"
      ]
    }
  }
}

resource "aws_ecr_repository_policy" "pull" {
  for_each = {
    for service, repository in aws_ecr_repository.this : service => repository if length(var.pull_accounts) > 0
  }

  repository = each.value.name
  policy     = data.aws_iam_policy_document.pull["this"].json
}
