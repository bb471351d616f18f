"""What the tests of rules on policies write over and over."""


def document(statement: str) -> str:
    """A document of one statement, in HCL."""
    return f'data "aws_iam_policy_document" "this" {{\n  statement {{\n{statement}\n  }}\n}}\n'


def policy(statement: str, kind: str = "aws_iam_role_policy", argument: str = "policy") -> str:
    """A resource with a policy of one statement, in JSON."""
    return f'resource "{kind}" "this" {{\n  {argument} = jsonencode({{ Statement = {{ {statement} }} }})\n}}\n'
