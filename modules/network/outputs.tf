output "public_subnet_ids" {
  description = "IDs of the public subnets by key."
  value       = { for key, subnet in aws_subnet.public : key => subnet.id }
}

output "vpc_cidr_block" {
  description = "IPv4 range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "vpc_id" {
  description = "ID of the VPC."
  value       = aws_vpc.this.id
}
