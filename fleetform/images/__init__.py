"""Images: built once by what is at hand, pushed to ECR, deployed by digest."""
