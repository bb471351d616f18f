"""Secrets: referenced, never written down."""

import re
from collections.abc import Iterator, Mapping

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Path, Unknown, Value
from fleetform.policy.helpers.containers import TASK, Container, each_container, example
from fleetform.policy.helpers.credentials import (
    find_in_command,
    find_kind,
    is_literal,
    is_placeholder,
    is_secret_name,
    kind_by_name,
)
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_REMEDY = "store it in Secrets Manager or Parameter Store and reference it in `secrets`"


@rule(
    "FF054",
    "Task definitions contain no secrets.",
    TASK,
    severity=Severity.HIGH,
    why="Anyone who can describe any revision of the task definition, or read the repository, sees them.",
    link=f"{_GUIDE}/security-tasks-containers.html",
    good=example(
        'name        = "web"\n'
        'environment = [{ name = "DB_PASSWORD_FILE", value = "/run/secrets/db" }]\n'
        'secrets     = [{ name = "DB_PASSWORD", valueFrom = "/shop/prod/db-password" }]'
    ),
    bad=example(
        'name        = "web"\n'
        "environment = [\n"
        '  { name = "DB_PASSWORD", value = "correct horse battery staple" },\n'
        '  { name = "DB_URL", value = "postgres://shop:tr0ub4dor@db:5432/shop" },\n'
        '  { name = "API_TOKEN", value = random_password.api.result },\n'
        "]\n"
        'command     = ["serve", "--admin-password=hunter2"]'
    )
    + '\nresource "random_password" "api" {\n  length = 40\n}\n',
)
def secrets_are_not_in_tasks(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Check variables, by name or by format, commands and log options. Messages never show a value."""
    return each_container(resource, _in_container)


def _in_container(container: Container) -> Iterator[Violation | Undecided]:
    for index, variable in enumerate(container.items("environment")):
        if isinstance(variable, dict):
            at = container.at("environment", index, "value")
            yield from _in_variable(container, str(variable.get("name")), variable.get("value"), at)
    for path in (("command",), ("entryPoint",), ("healthCheck", "command")):
        for index, kind in find_in_command(container.items(*path)):
            message = f"the command of container {container.name} contains {kind}"
            yield Violation(
                message,
                _REMEDY.replace("reference it in", "read it from a variable in"),
                container.at(*path, index),
            )
    options = container.value("logConfiguration", "options")
    for option, value in options.items() if isinstance(options, dict) else ():
        at = container.at("logConfiguration", "options", option)
        yield from _in_variable(container, option, value, at)


def _in_variable(container: Container, name: str, value: Value, at: Path) -> Iterator[Violation | Undecided]:
    kind = kind_by_name(name, value) or (find_kind(value) if isinstance(value, str) else None)
    if isinstance(kind, Unknown):
        yield Undecided(at)
    elif kind:
        verb = "is" if kind == "a secret" else "contains"
        yield Violation(f"{name} of container {container.name} {verb} {kind} in plain text", _REMEDY, at)


# The paths of arguments that are passwords; `*` is any element.
_ARGUMENTS: Mapping[str, Path] = {
    "aws_db_instance": ("password",),
    "aws_directory_service_directory": ("password",),
    "aws_dms_endpoint": ("password",),
    "aws_docdb_cluster": ("master_password",),
    "aws_elasticache_replication_group": ("auth_token",),
    "aws_elasticache_user": ("passwords", "*"),
    "aws_memorydb_user": ("authentication_mode", 0, "passwords", "*"),
    "aws_mq_broker": ("user", "*", "password"),
    "aws_opensearch_domain": (
        "advanced_security_options",
        0,
        "master_user_options",
        0,
        "master_user_password",
    ),
    "aws_rds_cluster": ("master_password",),
    "aws_redshift_cluster": ("master_password",),
    "aws_redshiftserverless_namespace": ("admin_user_password",),
    "aws_secretsmanager_secret_version": ("secret_string",),
    "aws_ssm_parameter": ("value",),
}
_SCRIPTS = ("aws_instance", "aws_launch_template")


@rule(
    "FF055",
    "Terraform code contains no secrets.",
    *(*_ARGUMENTS, "aws_lambda_function", *_SCRIPTS),
    severity=Severity.HIGH,
    why="The secret stays in the repository history, in every plan and in the state.",
    link="https://docs.aws.amazon.com/prescriptive-guidance/latest/secure-sensitive-data-secrets-manager-terraform/",
    good="""\
resource "aws_db_instance" "orders" {
  username                    = "orders"
  manage_master_user_password = true
}
""",
    bad="""\
resource "aws_db_instance" "orders" {
  username = "orders"
  password = "correct horse battery staple"
}

resource "aws_ssm_parameter" "key" {
  name  = "/shop/prod/api-key"
  type  = "SecureString"
  value = "0123456789abcdef"
}
""",
)
def secrets_are_not_in_hcl(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Ignore values from elsewhere, and placeholders for values that are set by hand."""
    for at, value in () if resource.planned else _candidates(resource):
        kind = _secret_kind(resource, at, value)
        if kind:
            yield Violation(
                f"{kind} is hardcoded", "let AWS generate it, or pass it in through a write-only argument", at
            )


def _candidates(resource: Resource) -> Iterator[tuple[Path, Value]]:
    """Yield values that may be secrets, each with its path."""
    if resource.type in _SCRIPTS:
        yield ("user_data",), resource.value("user_data")
    elif resource.type == "aws_lambda_function":
        yield from _leaves(resource.value("environment", 0, "variables"), ("environment", 0, "variables"))
    else:
        yield from _elements(dict(resource.values), _ARGUMENTS[resource.type], ())


def _elements(value: Value, path: Path, prefix: Path) -> Iterator[tuple[Path, Value]]:
    if not path:
        yield from _leaves(value, prefix)
    elif path[0] == "*":
        for index, item in enumerate(value if isinstance(value, list) else []):
            yield from _elements(item, path[1:], (*prefix, index))
    elif isinstance(value, dict) and isinstance(path[0], str):
        yield from _elements(value.get(path[0]), path[1:], (*prefix, path[0]))
    elif isinstance(value, list) and isinstance(path[0], int) and path[0] < len(value):
        yield from _elements(value[path[0]], path[1:], (*prefix, path[0]))


def _leaves(value: Value, prefix: Path) -> Iterator[tuple[Path, Value]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*prefix, key))
    else:
        yield prefix, value


def _secret_kind(resource: Resource, at: Path, value: Value) -> str | None:
    """Return the kind of secret in a written value; None if it is not a secret."""
    if not isinstance(value, str) or not value or is_placeholder(value):
        return None
    name = str(at[-1])
    if is_secret_name(name) or name == "secret_string" or isinstance(at[-1], int):
        return "a secret" if is_literal(name, value) else find_kind(value)
    if resource.type == "aws_ssm_parameter":
        name = str(resource.value("name")).rpartition("/")[2]
        is_secret = resource.value("type") == "SecureString" or is_secret_name(name)
        return "a secret" if is_secret and is_literal(name, value) else find_kind(value)
    return find_kind(value)


_REFERENCE = re.compile(r"arn:aws[\w-]*:(ssm|secretsmanager):.+|[\w./-]+")


@rule(
    "FF056",
    "Secrets reference Secrets Manager or Parameter Store.",
    TASK,
    severity=Severity.HIGH,
    why="Otherwise tasks do not start, or the secret itself is in the task definition.",
    link=f"{_GUIDE}/specifying-sensitive-data.html",
    good=example(
        'name    = "web"\nsecrets = [{ name = "DB_PASSWORD", valueFrom = "/shop/prod/db-password" }]'
    ),
    bad=example(
        'name        = "web"\n'
        'environment = [{ name = "API_KEY", value = "" }]\n'
        "secrets     = [\n"
        '  { name = "DB_PASSWORD", valueFrom = "correct horse battery staple" },\n'
        '  { name = "API_KEY", valueFrom = "/shop/prod/api-key" },\n'
        "]"
    ),
)
def secrets_are_references(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Require an ARN of Secrets Manager or Parameter Store, or a parameter's name, and no plain text."""

    def check(container: Container) -> Iterator[Violation | Undecided]:
        plain = {item.get("name") for item in container.items("environment") if isinstance(item, dict)}
        for index, secret in enumerate(container.items("secrets")):
            if not isinstance(secret, dict):
                continue
            name, at = secret.get("name"), container.at("secrets", index)
            if isinstance(name, str) and name in plain:
                message = f"{name} of container {container.name} is both a secret and plain text"
                yield Violation(message, "remove it from `environment`", (*at, "name"))
            yield from _reference(container, str(name), secret.get("valueFrom"), (*at, "valueFrom"))

    return each_container(resource, check)


def _reference(container: Container, name: str, value: Value, at: Path) -> Iterator[Violation | Undecided]:
    if isinstance(value, Unknown):
        if not value.present:
            yield Undecided(at)
    elif not isinstance(value, str) or not _REFERENCE.fullmatch(value) or find_kind(value):
        message = f"{name} of container {container.name} references neither a secret nor a parameter"
        yield Violation(message, "use the ARN of the secret, or the ARN or name of the parameter", at)
