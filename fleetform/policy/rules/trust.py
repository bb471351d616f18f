"""IAM trust: who can assume a role, and who can use a resource."""

import re
from collections.abc import Iterator

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown
from fleetform.policy.helpers.statements import (
    TRUST_POLICIES,
    Condition,
    Principal,
    Statement,
    for_statements,
)
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"

# Condition keys that identify the caller or its network:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
_IDENTIFYING = frozenset(
    {
        *("aws:principalaccount", "aws:principalarn", "aws:principalisawsservice", "aws:principalorgid"),
        *(
            "aws:principalorgpaths",
            "aws:principalservicename",
            "aws:sourceaccount",
            "aws:sourcearn",
            "aws:sourceip",
        ),
        *(
            "aws:sourceorgid",
            "aws:sourceorgpaths",
            "aws:sourceowner",
            "aws:sourcevpc",
            "aws:sourcevpce",
            "aws:userid",
        ),
        *("aws:vpcsourceip", "elasticfilesystem:accessedviamounttarget", "kms:calleraccount"),
    }
)
_SOURCES = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})


def _assumes_role(statement: Statement) -> bool:
    return any(
        isinstance(action, str) and action.lower().startswith("sts:") for action in statement.items("Action")
    )


def _is_restricted(statement: Statement, keys: frozenset[str]) -> bool | None:
    """Return whether a statement requires certain values for one of some keys; None if that is unknown."""
    conditions = statement.conditions
    return None if conditions is None else any(_restricts(condition, keys) for condition in conditions)


def _restricts(condition: Condition, keys: frozenset[str]) -> bool:
    """A test that also passes without the key, or for all other values, restricts nothing."""
    is_loose = any(word in condition.test for word in ("ForAllValues", "IfExists", "Not", "Null"))
    return condition.key in keys and not is_loose and "*" not in condition.values


def _allows_anyone(statement: Statement) -> bool:
    """Ignore federated principals, which are never named `*`."""
    return any(principal.name == "*" and principal.kind in {"*", "AWS"} for principal in statement.principals)


def _reject_anyone(statement: Statement, message: str, remedy: str) -> Iterator[Violation | Undecided]:
    at = statement.at("Principal")
    restricted = _is_restricted(statement, _IDENTIFYING)
    if _allows_anyone(statement):
        if restricted is None:
            yield Undecided(statement.at("Condition"))
        elif not restricted:
            yield Violation(message, remedy, at)
    elif not restricted and any(_may_be_anyone(principal) for principal in statement.principals):
        yield Undecided(at)


def _may_be_anyone(principal: Principal) -> bool:
    """Return whether a principal is unknown and may be anyone, which an ARN may not."""
    return isinstance(principal.name, Unknown) and not principal.name.reference.endswith((".arn", ".iam_arn"))


@rule(
    "FF076",
    "Trust policies name their principals.",
    *TRUST_POLICIES,
    severity=Severity.HIGH,
    why="With any AWS account as principal, everyone with an AWS account can assume the role.",
    link=f"{_GUIDE}/reference_policies_elements_principal.html",
    checkov=("CKV_AWS_60", "CKV_AWS_61"),
    good="""\
data "aws_iam_policy_document" "deploy" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values   = ["o-0123456789"]
    }
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "deploy" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

resource "aws_iam_role" "deploy" {
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = "*" }]
  })
}
""",
)
@for_statements("assume_role_policy")
def trust_policies_name_principals(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    """An external ID is not a secret, and does not identify the caller."""
    if _assumes_role(statement):
        remedy = "name roles or accounts, or restrict the organization with a condition on aws:PrincipalOrgID"
        yield from _reject_anyone(statement, "anyone can assume the role", remedy)


@rule(
    "FF077",
    "Resource policies name their principals.",
    *(
        "aws_s3_bucket_policy",
        "aws_sqs_queue",
        "aws_sqs_queue_policy",
        "aws_sns_topic",
        "aws_sns_topic_policy",
    ),
    *("aws_kms_key", "aws_kms_key_policy", "aws_ecr_repository_policy", "aws_ecr_registry_policy"),
    *("aws_secretsmanager_secret", "aws_secretsmanager_secret_policy", "aws_opensearch_domain"),
    *("aws_opensearch_domain_policy", "aws_cloudwatch_log_resource_policy", "aws_s3_access_point"),
    *("aws_s3control_access_point_policy", "aws_efs_file_system_policy", "aws_backup_vault_policy"),
    severity=Severity.HIGH,
    why="With any principal, everyone can access the data, with or without an AWS account.",
    link=f"{_GUIDE}/reference_policies_elements_principal.html",
    checkov=(
        *(
            "CKV_AWS_32",
            "CKV_AWS_33",
            "CKV_AWS_70",
            "CKV_AWS_168",
            "CKV_AWS_169",
            "CKV_AWS_283",
            "CKV_AWS_385",
        ),
        "CKV_AWS_387",
    ),
    good="""\
resource "aws_sqs_queue_policy" "orders" {
  queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"
  policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = "*"
      Resource  = "arn:aws:sqs:eu-central-1:123456789012:orders"
      Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:sns:eu-central-1:123456789012:orders" } }
    }]
  })
}
""",
    bad="""\
resource "aws_s3_bucket_policy" "web" {
  bucket = "shop-prod-web"
  policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Action    = "s3:GetObject"
      Principal = { AWS = "*" }
      Resource  = "arn:aws:s3:::shop-prod-web/*"
      Condition = { Bool = { "aws:SecureTransport" = "true" } }
    }]
  })
}
""",
)
@for_statements("policy", "access_policies", "policy_document", documents=False)
def resource_policies_name_principals(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    """Check documents where they are used: that of a VPC endpoint may have any principal."""
    remedy = "name the principals, or identify them with a condition"
    yield from _reject_anyone(statement, "anyone can use it", remedy)


_CALLING = ("codebuild", "ecs-tasks", "pipes", "scheduler", "states", "vpc-flow-logs")


@rule(
    "FF078",
    "AWS services assume roles only for this account.",
    *TRUST_POLICIES,
    severity=Severity.LOW,
    why="Without a source condition, the service can be tricked into using the role for other accounts.",
    link=f"{_GUIDE}/confused-deputy.html",
    good="""\
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["123456789012"]
    }
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}
""",
)
@for_statements("assume_role_policy")
def services_assume_roles_for_this_account(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    """Check the services whose guides ask for it, because they send the source."""
    services = [principal.name for principal in statement.principals if _service(principal) in _CALLING]
    if services and _assumes_role(statement):
        restricted = _is_restricted(statement, _SOURCES)
        if restricted is None:
            yield Undecided(statement.at("Condition"))
        elif not restricted:
            remedy = "add conditions on aws:SourceAccount and aws:SourceArn"
            yield Violation(
                f"{services[0]} can assume the role for any account", remedy, statement.at("Principal")
            )


def _service(principal: Principal) -> str:
    known = principal.kind == "Service" and isinstance(principal.name, str)
    return str(principal.name).partition(".")[0] if known else ""


_DELIVERING = frozenset({"sns:publish", "sqs:sendmessage"})


@rule(
    "FF079",
    "AWS services deliver only from named sources.",
    *(
        "aws_lambda_permission",
        "aws_sns_topic",
        "aws_sns_topic_policy",
        "aws_sqs_queue",
        "aws_sqs_queue_policy",
    ),
    "aws_iam_policy_document",
    severity=Severity.MEDIUM,
    why="Otherwise any topic, bucket or rule in any account can deliver through the service.",
    link=f"{_GUIDE}/confused-deputy.html",
    checkov=("CKV_AWS_301", "CKV_AWS_364"),
    good="""\
resource "aws_lambda_permission" "orders" {
  principal  = "sns.amazonaws.com"
  source_arn = "arn:aws:sns:eu-central-1:123456789012:orders"
}
""",
    bad="""\
resource "aws_lambda_permission" "orders" {
  principal = "sns.amazonaws.com"
}

data "aws_iam_policy_document" "orders" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = ["arn:aws:sqs:eu-central-1:123456789012:orders"]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
  }
}
""",
)
def services_deliver_from_named_sources(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """S3's ARNs have no account: the bucket's name is enough as long as you own it."""
    if resource.type == "aws_lambda_permission":
        yield from _check_permission(resource)
    else:
        yield from _check_delivery(resource, facts)


def _check_permission(resource: Resource) -> Iterator[Violation | Undecided]:
    principal = resource.value("principal")
    if isinstance(principal, Unknown):
        yield Undecided(("principal",))
    elif principal == "*" or str(principal).endswith(".amazonaws.com"):
        sources = [resource.value(key) for key in ("source_account", "source_arn", "principal_org_id")]
        if not any(sources):
            yield Violation(f"{principal} can invoke it for any source", "set source_arn", ("principal",))


@for_statements("policy")
def _check_delivery(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    actions = [action.lower() for action in statement.items("Action") if isinstance(action, str)]
    services = [principal.name for principal in statement.principals if _service(principal)]
    if not services or _DELIVERING.isdisjoint(actions):
        return
    restricted = _is_restricted(statement, _SOURCES)
    if restricted is None:
        yield Undecided(statement.at("Condition"))
    elif not restricted:
        at = statement.at("Principal")
        yield Violation(f"{services[0]} delivers from any source", "add a condition on aws:SourceArn", at)


_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?(\d{12})(?::root)?")


@rule(
    "FF080",
    "Trust in other accounts names a role or has a condition.",
    *TRUST_POLICIES,
    severity=Severity.MEDIUM,
    why="Otherwise everyone in the other account with sts:AssumeRole can assume the role.",
    link=f"{_GUIDE}/id_roles_common-scenarios_third-party.html",
    good="""\
data "aws_iam_policy_document" "audit" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::210987654321:role/audit"]
    }
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "audit" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::210987654321:root"]
    }
  }
}
""",
)
@for_statements("assume_role_policy")
def other_accounts_are_restricted(statement: Statement, facts: Facts) -> Iterator[Violation | Undecided]:
    """Accept any condition, such as an external ID, MFA or a principal, or the name of a role."""
    others = [
        account
        for principal in statement.principals
        if (account := _account(principal)) not in ("", facts.account)
    ]
    if others and facts.account and _assumes_role(statement) and not statement.conditions:
        at = statement.at("Principal")
        if statement.conditions is None:
            yield Undecided(statement.at("Condition"))
        else:
            yield Violation(
                f"all of account {others[0]} can assume the role",
                "name a role, or require an external ID",
                at,
            )


def _account(principal: Principal) -> str:
    """Return the account if a principal is a whole account; otherwise empty."""
    match = _ACCOUNT.fullmatch(principal.name) if isinstance(principal.name, str) else None
    return match[1] if match and principal.kind == "AWS" else ""


_SHARED_PROVIDERS = (
    "agent.buildkite.com",
    "app.terraform.io",
    "gitlab.com",
    "token.actions.githubusercontent.com",
)


@rule(
    "FF081",
    "CI assumes roles only for named repositories.",
    *TRUST_POLICIES,
    severity=Severity.HIGH,
    why="All customers of a CI service share its provider: without a subject, any pipeline gets the role.",
    link=f"{_GUIDE}/id_roles_providers_create_oidc.html#idp_oidc_Create_GitHub",
    checkov=("CKV_AWS_358", "CKV_AWS_393"),
    good="""\
data "aws_iam_policy_document" "ci" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:example/shop:ref:refs/heads/main"]
    }
  }
}
""",
    bad="""\
data "aws_iam_policy_document" "ci" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}
""",
)
@for_statements("assume_role_policy")
def ci_names_its_repositories(statement: Statement, _: Facts) -> Iterator[Violation | Undecided]:
    """A subject with a wildcard at its beginning, or for the organization, identifies no repository."""
    providers = [provider for principal in statement.principals if (provider := _shared_provider(principal))]
    if not providers:
        return
    conditions = statement.conditions
    if conditions is None:
        yield Undecided(statement.at("Condition"))
    elif not any(_names_subject(condition, providers[0]) for condition in conditions):
        remedy = f"add a condition on {providers[0]}:sub with the organization and repository"
        yield Violation(
            f"any pipeline at {providers[0]} can assume the role", remedy, statement.at("Principal")
        )


def _shared_provider(principal: Principal) -> str:
    name = principal.name if principal.kind == "Federated" and isinstance(principal.name, str) else ""
    host = name.partition(":oidc-provider/")[2] or name
    return host if host in _SHARED_PROVIDERS else ""


_ANY_SUBJECT = re.compile(r"(?:\w+:)?\*.*")


def _names_subject(condition: Condition, provider: str) -> bool:
    """Accept other claims, which may name the repository, too."""
    is_claim = condition.key.startswith(f"{provider}:") and not condition.key.endswith(":aud")
    return (
        is_claim
        and "Not" not in condition.test
        and not any(_ANY_SUBJECT.fullmatch(str(value)) for value in condition.values)
    )
