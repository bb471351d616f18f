"""Terraform itself: state, providers, modules and provisioners."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Unknown, Value
from fleetform.policy.helpers.statements import as_list
from fleetform.policy.requirements import TRUE, require
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, environment_rule, rule

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

_LANGUAGE = "https://developer.hashicorp.com/terraform/language"
_PROVIDER = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs"


@environment_rule(
    "FF097",
    "State is kept in a shared backend.",
    *("terraform", "backend"),
    severity=Severity.HIGH,
    why="Local state is lost with its folder, is not locked, and contains secrets in plain text.",
    link=f"{_LANGUAGE}/state/remote",
    good='terraform {\n  backend "s3" {\n    bucket = "shop-prod-tfstate"\n  }\n}\n',
    bad='terraform {\n  backend "local" {\n    path = "terraform.tfstate"\n  }\n}\n',
)
def state_is_shared(view: View, _: "Environment") -> Iterator[tuple[Resource, Violation | Undecided]]:
    """A stack without a backend has a local one; its settings may be in several blocks."""
    remedy = 'use backend "s3"'
    for backend in view.of("backend"):
        if backend.value("type") == "local":
            yield backend, Violation("state is kept in a local file", remedy)
    for blocks in _settings(view):
        if not any(key in block.values for block in blocks for key in ("backend", "cloud")):
            yield blocks[0], Violation("no backend: state is kept in a local file", remedy)


def _settings(view: View) -> list[list[Resource]]:
    """Return the `terraform` blocks of each stack."""
    by_stack: dict[str, list[Resource]] = {}
    for block in view.of("terraform"):
        by_stack.setdefault(block.stack, []).append(block)
    return list(by_stack.values())


@rule(
    "FF098",
    "State is locked.",
    "backend",
    severity=Severity.MEDIUM,
    why="Concurrent applies overwrite each other's state: resources are created twice, or no longer tracked.",
    link=f"{_LANGUAGE}/backend/s3#state-locking",
    good="""\
terraform {
  backend "s3" {
    bucket       = "shop-prod-tfstate"
    use_lockfile = true
  }
}
""",
    bad='terraform {\n  backend "s3" {\n    bucket = "shop-prod-tfstate"\n  }\n}\n',
)
def state_is_locked(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """A backend without a bucket has its settings in a file or a flag that is unknown here."""
    if resource.value("type") != "s3" or resource.value("dynamodb_table") is not None:
        return
    if resource.value("bucket") is None:
        yield Undecided(("use_lockfile",))
        return
    violation = Violation("the state is not locked", "set use_lockfile = true", ("use_lockfile",))
    yield from require(resource, TRUE, violation, default=False)


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
_CREDENTIALS = {
    "access_key": re.compile(r"A(?:KIA|SIA)[A-Z0-9]{16}"),
    "secret_key": re.compile(r"[A-Za-z0-9/+]{40}"),
    "token": re.compile(r".{40,}"),
    "password": re.compile(r".+"),
    "api_key": re.compile(r".+"),
    "app_key": re.compile(r".+"),
    "api_token": re.compile(r".+"),
    "client_secret": re.compile(r".+"),
}


@rule(
    "FF099",
    "Providers and backends contain no credentials.",
    *("provider", "backend"),
    severity=Severity.HIGH,
    why="Everyone who can read the repository has them. Terraform also writes backend credentials to disk.",
    link=f"{_PROVIDER}#authentication-and-configuration",
    checkov=("CKV_AWS_41",),
    good='provider "aws" {\n  region     = "eu-central-1"\n  access_key = "test"\n  secret_key = "test"\n}\n',
    bad="""\
provider "aws" {
  access_key = "AKIAIOSFODNN7EXAMPLE"
  secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
}

provider "datadog" {
  api_key = "0123456789abcdef0123456789abcdef"
}
""",
)
def no_hardcoded_credentials(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Check the format, because emulators accept `test`. Variables without a value may pass credentials."""
    for name, form in _CREDENTIALS.items():
        value = resource.value(name)
        if isinstance(value, str) and form.fullmatch(value):
            remedy = "remove and revoke it, then use environment variables, or a role for AWS"
            yield Violation(f"its {name} is hardcoded", remedy, (name,))


@environment_rule(
    "FF100",
    "Terraform and provider versions are constrained.",
    "terraform",
    severity=Severity.LOW,
    why="A new major version can change what the same code does, on the day of its release.",
    link=f"{_LANGUAGE}/expressions/version-constraints#best-practices",
    good="""\
terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
""",
    bad="""\
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
    random = {
      source = "hashicorp/random"
    }
  }
}
""",
)
def versions_are_constrained(
    view: View, _: "Environment"
) -> Iterator[tuple[Resource, Violation | Undecided]]:
    """Terraform needs a lower bound, as 1.x stays compatible; each provider needs an upper one."""
    for blocks in _settings(view):
        if all(block.value("required_version") is None for block in blocks):
            yield (
                blocks[0],
                Violation(
                    "any Terraform version is accepted",
                    'set required_version, such as ">= 1.10"',
                    ("required_version",),
                ),
            )
        for block in blocks:
            for name, violation in _unbounded_providers(block):
                yield block, violation._replace(at=("required_providers", 0, name))


def _unbounded_providers(block: Resource) -> Iterator[tuple[str, Violation]]:
    providers = block.value("required_providers", 0)
    for name, provider in providers.items() if isinstance(providers, dict) else ():
        version = provider.get("version") if isinstance(provider, dict) else provider
        if not isinstance(version, Unknown) and not _has_upper_bound(version):
            yield (
                name,
                Violation(f"any later version of {name} is accepted", 'set a version such as "~> 5.100"'),
            )


def _has_upper_bound(version: Value) -> bool:
    """Return whether a version constraint has an upper bound."""
    return isinstance(version, str) and any(
        not part.strip().startswith((">", "!=")) and part.strip() for part in version.split(",")
    )


@rule(
    "FF101",
    "Providers are restricted to one account.",
    "provider",
    severity=Severity.MEDIUM,
    why="With credentials for a different account, everything would be created or changed there.",
    link=f"{_PROVIDER}#allowed_account_ids-1",
    good='provider "aws" {\n  allowed_account_ids = ["123456789012"]\n}\n',
    bad='provider "aws" {\n  region = "eu-central-1"\n}\n',
)
def providers_are_restricted_to_an_account(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """A role to assume determines the account, too."""
    is_restricted = any(as_list(resource.value(name)) for name in ("allowed_account_ids", "assume_role"))
    if resource.address == "provider.aws" and not is_restricted:
        remedy = "set allowed_account_ids = [var.account]"
        yield Violation("it works in any account that its credentials allow", remedy)


@rule(
    "FF102",
    "Providers set default tags.",
    "provider",
    severity=Severity.LOW,
    why="The cost of untagged resources cannot be attributed to an owner.",
    link="https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html",
    good='provider "aws" {\n  default_tags {\n    tags = { application = "shop" }\n  }\n}\n',
    bad='provider "aws" {\n  alias  = "global"\n  region = "us-east-1"\n}\n',
)
def providers_set_default_tags(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Check each provider once instead of every resource; a second provider is easily forgotten."""
    tags = resource.value("default_tags", 0, "tags", default={})
    if resource.address == "provider.aws" and tags == {}:
        yield Violation("it sets no default tags", "add default_tags with tags = var.tags", ("default_tags",))


_REGISTRY = re.compile(r"(?:[\w-]+(?:\.[\w-]+)+/)?[\w-]+/[\w-]+/[a-z0-9]+(?://.*)?")
_GIT = re.compile(r"(?:git::|git@|github\.com/|bitbucket\.org/).*")
_REVISION = re.compile(r"[?&]ref=([^&]+)")
_BRANCHES = frozenset({"HEAD", "dev", "develop", "main", "master", "trunk"})


@rule(
    "FF103",
    "Modules are pinned to a version.",
    "module",
    severity=Severity.MEDIUM,
    why="No lock file covers modules: the owner's next version runs with your credentials.",
    link=f"{_LANGUAGE}/modules/sources",
    checkov=("CKV_TF_2",),
    good="""\
module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "~> 5.21"
}

module "queue" {
  source = "git::https://github.com/example/queue.git?ref=v1.2.0"
}

module "web" {
  source = "../../../modules/ecs_service"
}
""",
    bad="""\
module "vpc" {
  source = "terraform-aws-modules/vpc/aws"
}

module "queue" {
  source = "git::https://github.com/example/queue.git?ref=main"
}
""",
)
def modules_are_pinned(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """A registry version cannot change, a tag moves only on purpose, a branch moves every day."""
    source, version = resource.value("source"), resource.value("version")
    if isinstance(source, Unknown):
        yield Undecided(("source",))
    elif not isinstance(source, str) or source.startswith("."):
        return
    elif _GIT.fullmatch(source):
        revision = _REVISION.search(source)
        if not revision or revision[1] in _BRANCHES:
            problem = f"follows branch {revision[1]}" if revision else "is not pinned to a version"
            yield Violation(f"the module {problem}", "add ?ref= with a tag or commit", ("source",))
    elif _REGISTRY.fullmatch(source) and not isinstance(version, Unknown) and not _has_upper_bound(version):
        yield Violation(
            "the module is not pinned to a version",
            "set version",
            ("source" if version is None else "version",),
        )


@rule(
    "FF104",
    "Terraform runs no external programs.",
    *("null_resource", "terraform_data", "aws_instance", "external"),
    severity=Severity.LOW,
    why="They run with your credentials, and no plan shows what they do.",
    link=f"{_LANGUAGE}/resources/provisioners/syntax",
    good='resource "terraform_data" "release" {\n  input = "1.2.0"\n}\n',
    bad="""\
resource "terraform_data" "release" {
  provisioner "local-exec" {
    command = "./release"
  }
}

data "external" "version" {
  program = ["./version"]
}
""",
)
def terraform_runs_no_programs(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Plans contain no provisioners, so that only the text is checked."""
    remedy = "use a separate step, or a resource"
    if resource.kind == "data" and resource.type == "external":
        yield Violation("every plan runs a program", remedy, ("program",))
    elif as_list(resource.value("provisioner")):
        yield Violation("a provisioner runs a program", remedy, ("provisioner", 0))
