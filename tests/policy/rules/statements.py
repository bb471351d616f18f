"""Common parts of the tests of policy rules."""


def document(statement: str) -> str:
    """Return a document with one statement, in HCL."""
    return f'data "aws_iam_policy_document" "this" {{\n  statement {{\n{statement}\n  }}\n}}\n'


def policy(statement: str, kind: str = "aws_iam_role_policy", argument: str = "policy") -> str:
    """Return a resource with a policy of one statement, in JSON."""
    return (
        f'resource "{kind}" "this" {{\n  {argument} = jsonencode({{ Statement = {{ {statement} }} }})\n}}\n'
    )
