"""Container images: built once with the installed engine, pushed to ECR, deployed by digest."""
