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
