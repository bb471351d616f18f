"""IAM permissions."""

import re
from collections.abc import Iterator

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown, Value
from fleetform.policy.helpers.statements import (
    IDENTITY_POLICIES,
    Statement,
    as_list,
    for_statements,
    matching_actions,
)
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
# All resources of a type, as in `role/*`; not the objects of a bucket, whose ARN has no type.
_ALL_RESOURCES = re.compile(
    r"\*|arn:[^:]*:(?:s3:[^:]*:[^:]*:|(?!s3:)[^:]*:[^:]*:[^:]*:(?:[A-Za-z-]+[:/])?)\*(?:[:/]\*)*"
)
_ACCOUNT_ROOT = re.compile(r"\d{12}|arn:[^:]*:iam::[^:]*:root")

# Actions that support resources, and read or change data or running services:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_NARROWABLE = frozenset(
    {
        *("dynamodb:batchgetitem", "dynamodb:batchwriteitem", "dynamodb:deleteitem", "dynamodb:deletetable"),
        *("dynamodb:getitem", "dynamodb:putitem", "dynamodb:query", "dynamodb:scan", "dynamodb:updateitem"),
        *("ec2:terminateinstances", "ecr:batchdeleteimage", "ecr:deleterepository", "ecr:putimage"),
        *(
            "ecr:setrepositorypolicy",
            "ecs:deleteservice",
            "ecs:executecommand",
            "ecs:runtask",
            "ecs:stoptask",
        ),
        *("ecs:updateservice", "elasticfilesystem:clientmount", "elasticfilesystem:clientrootaccess"),
        *("elasticfilesystem:clientwrite", "kinesis:getrecords", "kinesis:putrecord", "kinesis:putrecords"),
        *("kms:creategrant", "kms:decrypt", "kms:disablekey", "kms:encrypt", "kms:generatedatakey"),
        *("kms:putkeypolicy", "kms:schedulekeydeletion", "lambda:deletefunction", "lambda:invokefunction"),
        *("lambda:updatefunctioncode", "logs:deleteloggroup", "rds-db:connect", "rds:deletedbcluster"),
        *(
            "rds:deletedbinstance",
            "route53:changeresourcerecordsets",
            "s3:deletebucket",
            "s3:deletebucketpolicy",
        ),
        *("s3:deleteobject", "s3:getobject", "s3:listbucket", "s3:putbucketpolicy", "s3:putobject"),
        *("secretsmanager:deletesecret", "secretsmanager:getsecretvalue", "secretsmanager:putsecretvalue"),
        *("secretsmanager:updatesecret", "sqs:deletemessage", "sqs:deletequeue", "sqs:purgequeue"),
        *(
            "sqs:receivemessage",
            "sqs:sendmessage",
            "ssm:deleteparameter",
            "ssm:getparameter",
            "ssm:getparameters",
        ),
        *("ssm:getparametersbypath", "ssm:putparameter", "ssm:sendcommand", "ssm:startsession"),
        "states:startexecution",
    }
)

# Actions with which an identity can give itself any permission:
# https://github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation
_ESCALATING = frozenset(
    {
        *("iam:addusertogroup", "iam:attachgrouppolicy", "iam:attachrolepolicy", "iam:attachuserpolicy"),
        *("iam:createaccesskey", "iam:createloginprofile", "iam:createpolicyversion", "iam:putgrouppolicy"),
        *(
            "iam:putrolepolicy",
            "iam:putuserpolicy",
            "iam:setdefaultpolicyversion",
            "iam:updateassumerolepolicy",
        ),
        *("iam:updateloginprofile", "sts:assumerole"),
    }
)


@rule(
    "FF004",
    "IAM policies name their actions.",
    *IDENTITY_POLICIES,
    severity=Severity.HIGH,
    why="A wildcard grants actions that were never reviewed, and those that AWS adds later.",
    link=f"{_GUIDE}/best-practices.html#grant-least-privilege",
    checkov=("CKV_AWS_1", "CKV_AWS_49", "CKV_AWS_62", "CKV_AWS_63"),
    good="""\
data "aws_iam_policy_document" "web" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::shop-prod-web/*"]
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "web" {
  statement {
    actions   = ["s3:*"]
    resources = ["arn:aws:s3:::shop-prod-web/*"]
  }
}
""",
)
@for_statements("policy", "inline_policy", identities=True)
def iam_actions_are_named(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept `s3:Get*`, a deliberate choice, and `kms:*` for an account, the default of AWS."""
    at = statement.at("Action")
    for action in statement.items("Action"):
        if isinstance(action, Unknown):
            yield Undecided(at)
        elif (
            isinstance(action, str)
            and _whole_service(action)
            and not _is_default_key_policy(action, statement)
        ):
            yield Violation(f"allows {action}", "list the actions that are needed", at)


def _whole_service(action: str) -> bool:
    return action == "*" or action.endswith(":*")


def _is_default_key_policy(action: str, statement: Statement) -> bool:
    """Return whether it is https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html."""
    principals = statement.principals
    return (
        action == "kms:*" and bool(principals) and all(_is_root(principal.name) for principal in principals)
    )


def _is_root(name: Value) -> bool:
    return isinstance(name, Unknown) or (isinstance(name, str) and _ACCOUNT_ROOT.fullmatch(name) is not None)


@rule(
    "FF070",
    "IAM policies name their resources.",
    *IDENTITY_POLICIES,
    severity=Severity.MEDIUM,
    why="An attacker who takes over one service can read and change the data of all others.",
    link=f"{_GUIDE}/best-practices.html#grant-least-privilege",
    checkov=(
        *(
            "CKV_AWS_107",
            "CKV_AWS_108",
            "CKV_AWS_111",
            "CKV_AWS_287",
            "CKV_AWS_288",
            "CKV_AWS_290",
            "CKV_AWS_355",
        ),
        "CKV_AWS_356",
    ),
    good="""\
data "aws_iam_policy_document" "web" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::shop-prod-web/*"]
  }

  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "web" {
  statement {
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "web" {
  role = "web"
  policy = jsonencode({
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:Get*"
      Resource = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:*"
    }]
  })
}
""",
)
@for_statements("policy", "inline_policy", identities=True)
def iam_resources_are_named(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    """Check actions that read or change data; some other actions support only the wildcard."""
    yield from _require_restricted(
        statement, _NARROWABLE, "list the resources, or restrict them with a condition"
    )


@rule(
    "FF071",
    "Statements with iam:PassRole name the roles or the service.",
    *IDENTITY_POLICIES,
    severity=Severity.HIGH,
    why="Passing any role to an AWS service gives the rights of the most privileged role in the account.",
    link=f"{_GUIDE}/id_roles_use_passrole.html",
    checkov=("CKV_AWS_110", "CKV_AWS_286"),
    good="""\
data "aws_iam_policy_document" "schedule" {
  statement {
    actions   = ["iam:PassRole"]
    resources = ["arn:aws:iam::123456789012:role/shop-prod-web-task"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "schedule" {
  statement {
    actions   = ["iam:PassRole"]
    resources = ["arn:aws:iam::123456789012:role/*"]
  }
}
""",
)
@for_statements("policy", "inline_policy", identities=True)
def passed_roles_are_named(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept any role with `iam:PassedToService`, as AWS's policies do: the service must trust it."""
    remedy = "name the roles, and restrict the service with a condition on iam:PassedToService"
    yield from _require_restricted(statement, frozenset({"iam:passrole"}), remedy)


@rule(
    "FF072",
    "IAM policies allow no privilege escalation.",
    *IDENTITY_POLICIES,
    severity=Severity.HIGH,
    why="Changing any identity's permissions, or assuming any role, gives all rights in the account.",
    link=f"{_GUIDE}/access_policies_boundaries.html",
    checkov=("CKV_AWS_109", "CKV_AWS_110", "CKV_AWS_286", "CKV_AWS_289"),
    good="""\
data "aws_iam_policy_document" "deploy" {
  statement {
    actions   = ["iam:PutRolePolicy"]
    resources = ["arn:aws:iam::123456789012:role/shop-prod-*"]
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "deploy" {
  statement {
    actions   = ["iam:Put*", "sts:AssumeRole"]
    resources = ["*"]
  }
}
""",
)
@for_statements("policy", "inline_policy", identities=True)
def no_privilege_escalation(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept named identities, or a condition such as `iam:PermissionsBoundary`: a deliberate choice."""
    yield from _require_restricted(
        statement, _ESCALATING, "name the identities, or require a permissions boundary"
    )


def _require_restricted(
    statement: Statement, names: frozenset[str], remedy: str
) -> Iterator[Violation | Undecided]:
    """Ignore policies with principals, whose wildcard is their resource. FF004 checks whole services."""
    granted = [
        action for action in matching_actions(statement.items("Action"), names) if not _whole_service(action)
    ]
    if not granted or statement.principals or statement.conditions:
        return
    at = statement.at("Resource")
    resources = statement.items("Resource")
    if any(isinstance(item, str) and _ALL_RESOURCES.fullmatch(item) for item in resources):
        if statement.conditions is None:
            yield Undecided(statement.at("Condition"))
        else:
            yield Violation(f"allows {', '.join(granted)} on all resources", remedy, at)
    elif any(isinstance(item, Unknown) and not item.reference.endswith(".arn") for item in resources):
        yield Undecided(at)


@rule(
    "FF073",
    "Policies list what they allow, not what they exclude.",
    *(*IDENTITY_POLICIES, "aws_s3_bucket_policy", "aws_sqs_queue_policy", "aws_sns_topic_policy"),
    *("aws_kms_key", "aws_kms_key_policy", "aws_ecr_repository_policy", "aws_secretsmanager_secret_policy"),
    severity=Severity.HIGH,
    why="Everything that is not listed is allowed, including what AWS or the account adds later.",
    link=f"{_GUIDE}/reference_policies_elements_notaction.html",
    good="""\
data "aws_iam_policy_document" "web" {
  statement {
    effect      = "Deny"
    not_actions = ["s3:GetObject"]
    resources   = ["*"]
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "web" {
  statement {
    not_actions   = ["iam:*"]
    not_resources = ["arn:aws:s3:::shop-prod-secrets/*"]
  }
}

resource "aws_s3_bucket_policy" "web" {
  bucket = "shop-prod-web"
  policy = jsonencode({
    Statement = {
      Effect       = "Allow"
      NotPrincipal = { AWS = "arn:aws:iam::123456789012:role/web" }
      Action       = "s3:GetObject"
      Resource     = "arn:aws:s3:::shop-prod-web/*"
    }
  })
}
""",
)
@for_statements("policy", "inline_policy", "assume_role_policy", identities=True)
def allowed_elements_are_listed(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept these elements in Deny statements, which is what they are for."""
    for element in ("NotAction", "NotResource", "NotPrincipal"):
        if as_list(statement.get(element)):
            at = statement.at(element)
            yield Violation(
                f"allows everything except {at[-1]}",
                f"use {statement.at(element.removeprefix('Not'))[-1]}",
                at,
            )


_ATTACHMENTS = (
    *("aws_iam_role_policy_attachment", "aws_iam_policy_attachment", "aws_iam_group_policy_attachment"),
    *("aws_iam_user_policy_attachment", "aws_iam_role", "aws_iam_role_policy_attachments_exclusive"),
)
_FULL_ACCESS = re.compile(
    r"arn:[^:]*:iam::aws:policy/(?:.*/)?(AdministratorAccess|PowerUserAccess|\w*FullAccess(?:_?[vV]\d)?)"
)


@rule(
    "FF074",
    "No AWS managed policy grants full access.",
    *_ATTACHMENTS,
    severity=Severity.HIGH,
    why="AdministratorAccess grants the whole account, and each FullAccess policy a whole service.",
    link=f"{_GUIDE}/access_policies_managed-vs-inline.html",
    checkov=("CKV_AWS_274",),
    good="""\
resource "aws_iam_role_policy_attachment" "web" {
  role       = "web"
  policy_arn = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
}
""",
    bad="""\
resource "aws_iam_role_policy_attachment" "web" {
  role       = "web"
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role" "orders" {
  managed_policy_arns = ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]
  assume_role_policy  = "{}"
}
""",
)
def no_full_access(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Ignore policies that Terraform creates, which are checked by their content."""
    for name in ("policy_arn", "policy_arns", "managed_policy_arns"):
        for arn in as_list(resource.value(name)):
            if isinstance(arn, Unknown) and not arn.reference.endswith(".arn"):
                yield Undecided((name,))
            elif isinstance(arn, str) and (match := _FULL_ACCESS.fullmatch(arn)):
                yield Violation(
                    f"attaches {match[1]}",
                    "write a policy with only the permissions that are needed",
                    (name,),
                )


_PERMANENT = {
    "aws_iam_access_key": "an access key never expires, and its secret is in the Terraform state",
    "aws_iam_user": "an IAM user's passwords and keys stay valid until they are revoked",
    "aws_iam_user_login_profile": "a password that Terraform creates is in its state",
}


@rule(
    "FF075",
    "Credentials are temporary.",
    *_PERMANENT,
    severity=Severity.MEDIUM,
    why="Long-lived keys leak: from a repository, a laptop or the Terraform state.",
    link=f"{_GUIDE}/best-practices.html#bp-workloads-use-roles",
    checkov=("CKV_AWS_273",),
    good='resource "aws_iam_access_key" "old" {\n  user   = "deploy"\n  status = "Inactive"\n}\n',
    bad="""\
resource "aws_iam_user" "deploy" {
  name = "deploy"
}

resource "aws_iam_access_key" "deploy" {
  user = aws_iam_user.deploy.name
}
""",
)
def credentials_are_temporary(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Ignore inactive keys, which are about to be deleted."""
    if resource.value("status") == "Inactive":
        return
    yield Violation(
        _PERMANENT[resource.type], "use a role: through IAM Identity Center for people, through OIDC for CI"
    )
