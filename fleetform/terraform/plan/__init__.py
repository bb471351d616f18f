"""Plans: what they do, read from Terraform's text and JSON."""
