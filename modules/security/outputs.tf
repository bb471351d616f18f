output "group_ids" {
  description = "IDs of the security groups, by key."
  value       = { for key, group in aws_security_group.this : key => group.id }
}
