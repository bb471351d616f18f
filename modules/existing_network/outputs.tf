output "private_subnet_ids" {
  description = "IDs of the private subnets, keyed by ID."
  value       = { for id in try(data.aws_subnets.this["private"].ids, []) : id => id }
}

output "public_subnet_ids" {
  description = "IDs of the public subnets, keyed by ID."
  value       = { for id in try(data.aws_subnets.this["public"].ids, []) : id => id }
}

output "vpc_cidr_block" {
  description = "IPv4 range of the VPC."
  value       = data.aws_vpc.this.cidr_block
}

output "vpc_id" {
  description = "ID of the VPC."
  value       = data.aws_vpc.this.id
}
