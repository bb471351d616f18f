"""Driving Terraform: the binary, its configuration, argument vectors, the runner, the state bucket."""
