"""Many small services on AWS ECS with plain, reviewable Terraform: the call graph is the source."""
