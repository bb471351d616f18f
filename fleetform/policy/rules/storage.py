"""S3 and databases: access to the data."""

from collections.abc import Iterator

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown, Value
from fleetform.policy.helpers.statements import as_list
from fleetform.policy.requirements import FALSE, TRUE, require
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_S3 = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"


@rule(
    "FF082",
    "Buckets block all public access.",
    *("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"),
    severity=Severity.HIGH,
    why="AWS blocks public access by default. This resource turns off each setting that is not true.",
    link=f"{_S3}/access-control-block-public-access.html",
    checkov=("CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56"),
    good="""\
resource "aws_s3_bucket_public_access_block" "web" {
  bucket                  = "shop-prod-web"
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
""",
    bad="""\
resource "aws_s3_bucket_public_access_block" "web" {
  bucket                  = "shop-prod-web"
  block_public_acls       = true
  block_public_policy     = false
  ignore_public_acls      = true
}
""",
)
def public_access_is_blocked(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Without the resource, AWS blocks all public access since April 2023."""
    for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"):
        yield from require(
            resource, TRUE, Violation(f"{name} is off", f"set {name} = true", (name,)), default=False
        )


_PUBLIC_ACLS = ("authenticated-read", "public-read", "public-read-write")
_PUBLIC_GROUPS = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")


@rule(
    "FF083",
    "Buckets have no public ACL.",
    *("aws_s3_bucket", "aws_s3_bucket_acl", "aws_s3_object"),
    severity=Severity.HIGH,
    why="Everyone on the internet, or everyone with an AWS account, can read the data.",
    link=f"{_S3}/acl-overview.html#canned-acl",
    checkov=("CKV_AWS_20", "CKV_AWS_57", "CKV_AWS_375"),
    good='resource "aws_s3_bucket_acl" "web" {\n  bucket = "shop-prod-web"\n  acl    = "private"\n}\n',
    bad="""\
resource "aws_s3_bucket_acl" "web" {
  bucket = "shop-prod-web"
  acl    = "public-read"
}

resource "aws_s3_bucket_acl" "orders" {
  bucket = "shop-prod-orders"

  access_control_policy {
    grant {
      permission = "READ"

      grantee {
        type = "Group"
        uri  = "http://acs.amazonaws.com/groups/global/AllUsers"
      }
    }
  }
}
""",
)
def no_acl_is_public(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """New buckets have no ACLs unless they are enabled."""
    acl = resource.value("acl")
    if isinstance(acl, Unknown):
        yield Undecided(("acl",))
    elif acl in _PUBLIC_ACLS:
        remedy = "remove it, and serve public content through a CDN or the service"
        yield Violation(f"its ACL is {acl}", remedy, ("acl",))
    for index, grant in enumerate(as_list(resource.value("access_control_policy", 0, "grant"))):
        if isinstance(grant, dict) and str(_grantee_uri(grant)).endswith(_PUBLIC_GROUPS):
            at = ("access_control_policy", 0, "grant", index, "grantee", 0, "uri")
            yield Violation("its ACL grants access to everyone", "remove the grant", at)


def _grantee_uri(grant: dict[str, Value]) -> Value:
    """Return the group of a grant."""
    grantee = next(iter(as_list(grant.get("grantee"))), None)
    return grantee.get("uri") if isinstance(grantee, dict) else None


@rule(
    "FF084",
    "Bucket policies deny plain HTTP.",
    "aws_s3_bucket_policy",
    severity=Severity.LOW,
    why="S3 also accepts HTTP: a misconfigured client sends data and signatures unencrypted.",
    link=f"{_S3}/security-best-practices.html#transit",
    checkov=("CKV_AWS_379",),
    good="""\
resource "aws_s3_bucket_policy" "web" {
  bucket = "shop-prod-web"
  policy = jsonencode({
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::shop-prod-web", "arn:aws:s3:::shop-prod-web/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
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
      Principal = { AWS = "arn:aws:iam::123456789012:role/web" }
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::shop-prod-web/*"
    }]
  })
}
""",
)
def plain_http_is_refused(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept a statement that denies it, or a stricter one on the TLS version."""
    statements = resource.value("policy", "Statement")
    if any(isinstance(statement, dict) and _refuses_http(statement) for statement in as_list(statements)):
        return
    if isinstance(resource.value("policy"), Unknown) or any(
        isinstance(item, Unknown) for item in as_list(statements)
    ):
        yield Undecided(("policy",))
    else:
        remedy = "add a statement that denies s3:* if aws:SecureTransport is false"
        yield Violation("the bucket accepts plain HTTP", remedy, ("policy",))


def _refuses_http(statement: dict[str, Value]) -> bool:
    conditions = statement.get("Condition")
    keys = (
        {key.lower() for test in conditions.values() if isinstance(test, dict) for key in test}
        if isinstance(conditions, dict)
        else set()
    )
    return statement.get("Effect") == "Deny" and not keys.isdisjoint({"aws:securetransport", "s3:tlsversion"})


@rule(
    "FF088",
    "Databases are not publicly accessible.",
    *("aws_db_instance", "aws_rds_cluster", "aws_rds_cluster_instance", "aws_neptune_cluster_instance"),
    *("aws_redshift_cluster", "aws_dms_replication_instance", "aws_mq_broker"),
    severity=Severity.HIGH,
    why="Only a security group rule and a password separate the data from the internet.",
    link="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    checkov=("CKV_AWS_17", "CKV_AWS_69", "CKV_AWS_87", "CKV_AWS_89", "CKV_AWS_102"),
    good='resource "aws_db_instance" "orders" {\n  engine = "postgres"\n}\n',
    bad='resource "aws_db_instance" "orders" {\n  engine              = "postgres"\n  publicly_accessible ='
    " true\n}\n",
)
def databases_are_private(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """The provider's default is private."""
    violation = Violation(
        "it is publicly accessible", "set publicly_accessible = false", ("publicly_accessible",)
    )
    yield from require(resource, FALSE, violation, default=False)
