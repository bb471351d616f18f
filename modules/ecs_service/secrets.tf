locals {
  secrets = flatten([for container in var.containers : values(container.secrets)])

  parameter_arns = distinct([
    for name in compact(local.secrets[*].parameter) :
    startswith(name, "arn:") ? name : "${local.arns.ssm}:parameter/${trimprefix(name, "/")}"
  ])

  # By their names in `containers`. ECS accepts an ARN without the six characters that Secrets Manager adds to the name:
  # https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
  secret_arns = {
    for name in toset(compact(local.secrets[*].secret)) :
    name => startswith(name, "arn:") ? name : "${local.arns.secretsmanager}:secret:${name}"
  }
}
