from .plans import Resources


def test_example(planned: dict[str, Resources]) -> None:
    """Repositories keep tags for ever, scan what is pushed and expire what has no tag."""
    assert planned["registry"] == {
        'aws_ecr_lifecycle_policy.this["orders"]': {
            "policy": {
                "rules": [
                    {
                        "action": {"type": "expire"},
                        "description": "Expire untagged images after 14 days",
                        "rulePriority": 1,
                        "selection": {
                            "countNumber": 14,
                            "countType": "sinceImagePushed",
                            "countUnit": "days",
                            "tagStatus": "untagged",
                        },
                    }
                ]
            },
            "repository": "shop-dev-orders",
        },
        'aws_ecr_lifecycle_policy.this["web"]': {
            "policy": {
                "rules": [
                    {
                        "action": {"type": "expire"},
                        "description": "Expire untagged images after 14 days",
                        "rulePriority": 1,
                        "selection": {
                            "countNumber": 14,
                            "countType": "sinceImagePushed",
                            "countUnit": "days",
                            "tagStatus": "untagged",
                        },
                    }
                ]
            },
            "repository": "shop-dev-web",
        },
        'aws_ecr_repository.this["orders"]': {
            "encryption_configuration": [{"encryption_type": "AES256"}],
            "force_delete": False,
            "image_scanning_configuration": [{"scan_on_push": True}],
            "image_tag_mutability": "IMMUTABLE",
            "name": "shop-dev-orders",
        },
        'aws_ecr_repository.this["web"]': {
            "encryption_configuration": [{"encryption_type": "AES256"}],
            "force_delete": False,
            "image_scanning_configuration": [{"scan_on_push": True}],
            "image_tag_mutability": "IMMUTABLE",
            "name": "shop-dev-web",
        },
    }


def test_shared_with_another_account(planned: dict[str, Resources]) -> None:
    """Images are encrypted with the key that is given, and other accounts may pull them and nothing else."""
    resources = planned["shared_registry"]
    assert resources['aws_ecr_repository.this["web"]']["encryption_configuration"] == [
        {
            "encryption_type": "KMS",
            "kms_key": "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab",
        }
    ]
    assert resources['aws_ecr_repository_policy.pull["web"]']["policy"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "PullFromOtherAccounts",
                "Effect": "Allow",
                "Action": [
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:BatchGetImage",
                    "ecr:BatchCheckLayerAvailability",
                ],
                "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
            }
        ],
    }
