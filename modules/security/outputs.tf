output "group_ids" {
  description = "IDs of the security groups, by key."
  value       = { for key in keys(var.groups) : key => aws_security_group.this[key].id }
}
