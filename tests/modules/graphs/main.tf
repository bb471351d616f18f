# What the rendered security groups of many call graphs refer to. The tests add a file for each, and a state in which the
# groups are there already: only then does a plan say between whom a rule is.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

variable "name" {
  type    = string
  default = "shop-dev"
}

locals {
  network = {
    s3_prefix_list_id = "pl-0123456789abcdef0"
    vpc_cidr_block    = "10.0.0.0/16"
    vpc_id            = "vpc-0123456789abcdef0"
  }
}
