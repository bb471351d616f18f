# By the keys of the variables, so that they have no subnet that is about to be removed.
output "private_subnet_ids" {
  description = "IDs of the private subnets, by key."
  value       = { for key in keys(var.private_subnets) : key => aws_subnet.private[key].id }
}

output "public_subnet_ids" {
  description = "IDs of the public subnets, by key."
  value       = { for key in keys(var.public_subnets) : key => aws_subnet.public[key].id }
}

output "s3_prefix_list_id" {
  description = "ID of the prefix list of S3's gateway endpoint, for egress rules; null without the endpoint."
  value       = one([for name, endpoint in aws_vpc_endpoint.gateway : endpoint.prefix_list_id if name == "s3"])
}

output "vpc_cidr_block" {
  description = "IPv4 range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "vpc_id" {
  description = "ID of the VPC."
  value       = aws_vpc.this.id
}
