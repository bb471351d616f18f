"""The types of the catalog's values, each with what it expects and the source of AWS's rule."""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    Strict,
)
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fleetform.catalog.descriptions import attribute_docstrings
from fleetform.catalog.patterns import SCALAR_TYPES, TextPattern

SUBNET_PREFIX = 24
"""Every subnet is a /24, with 251 addresses for tasks."""

LOG_RETENTION_IN_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The retention periods of CloudWatch Logs: API reference, PutRetentionPolicy."""

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DAY_EXPECTED = "expected a day, such as 2026-12-31"

_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))  # RFC 1918


class CatalogModel(BaseModel):
    """A mapping of the catalog: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe each key by the docstring below it."""
        json_schema = handler(schema)
        properties = handler.resolve_ref_schema(json_schema)["properties"]
        for kind in (kind for kind in cls.__mro__ if issubclass(kind, CatalogModel)):
            for key, docstring in attribute_docstrings(kind).items():
                properties[key].setdefault("description", docstring)
        return json_schema


class FixedMapping(dict[Any, Any]):
    """A mapping as a field's default, hashable so that pydantic does not copy it for every service."""

    def __hash__(self) -> int:  # type: ignore[override] # a plain dict is mutable and so not hashable
        """Hash its identity, because nothing changes it."""
        return id(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: type[Any], _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic write the default into a JSON Schema like any other mapping."""
        return core_schema.dict_schema()


EMPTY = FixedMapping()
"""An empty mapping."""


@dataclass(frozen=True)
class ShortForm:
    """Lets a mapping be written as the value of one of its keys: `orders` for `{ service: orders }`.

    Attributes:
        key: The key whose value is the short form.
    """

    key: str

    def __get_pydantic_core_schema__(
        self, source: type[CatalogModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Replace the short form with the long one before the model sees it."""
        return core_schema.no_info_before_validator_function(self._expand, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow either form."""
        long = handler(schema)
        short = handler.resolve_ref_schema(long)["properties"][self.key]
        kinds = short.get("anyOf", [short])
        return {"anyOf": [*(kind for kind in kinds if kind != {"type": "null"}), long]}

    def _expand(self, value: Any) -> Any:  # noqa: ANN401 - anything that YAML can hold
        return {self.key: value} if isinstance(value, (str, int)) else value


def _restore_text(value: Any) -> Any:  # noqa: ANN401 - anything that YAML can hold
    """Turn a number or a boolean back into the text that it was written as; the reader keeps it exactly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def _check_text(value: str) -> str:
    """Reject text that would not arrive unchanged: NUL, or accents that Terraform composes (UAX 15)."""
    if "\0" in value:
        raise ValueError("expected text without NUL characters")
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError(
            "expected text with composed accents (Unicode NFC), because Terraform would change this"
        )
    return value


def _to_tuple(value: Any) -> Any:  # noqa: ANN401 - anything that YAML can hold
    return tuple(value) if isinstance(value, list) else value


class SingleOrList:
    """Lets a list of one item be written as the item."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        """Wrap a single item in a list before validation."""
        return core_schema.no_info_before_validator_function(_wrap_single, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow either form."""
        several = handler(schema)
        return {"anyOf": [several["items"], several]}


def _wrap_single(value: Any) -> Any:  # noqa: ANN401 - anything that YAML can hold
    return (value,) if isinstance(value, str) else _to_tuple(value)


def _parse_network(value: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        raise ValueError("expected an IPv4 network, such as 10.0.0.0/16") from None
    if str(network.network_address) != value.partition("/")[0]:
        raise ValueError(f"did you mean the network `{network}`?")
    return network


def _check_cidr(value: str) -> str:
    _parse_network(value)
    return value


def _check_vpc_cidr(value: str) -> str:
    network = _parse_network(value)
    private = any(map(network.subnet_of, _PRIVATE))
    if not private or not 16 <= network.prefixlen <= SUBNET_PREFIX - 3:  # noqa: PLR2004 - AWS's /16
        raise ValueError(f"expected a private IPv4 network from /16 (AWS's largest) to /{SUBNET_PREFIX - 3}")
    return value


def _check_retention(value: int) -> int:
    if value not in LOG_RETENTION_IN_DAYS:
        raise ValueError(
            f"expected a retention of CloudWatch Logs: {', '.join(map(str, LOG_RETENTION_IN_DAYS))}"
        )
    return value


def _parse_day(value: Any) -> Any:  # noqa: ANN401 - anything that YAML can hold
    """Parse a day in ISO 8601's form with hyphens."""
    if not isinstance(value, date) and not (isinstance(value, str) and re.fullmatch(_DAY, value)):
        raise ValueError(_DAY_EXPECTED)
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(_DAY_EXPECTED) from None


Text = Annotated[
    str, BeforeValidator(_restore_text), AfterValidator(_check_text), Field(json_schema_extra=SCALAR_TYPES)
]
Integer = Annotated[int, Strict()]
Boolean = Annotated[bool, Strict()]
AsTuple = BeforeValidator(_to_tuple)
"""Reads YAML's list as a tuple."""

Path = Annotated[
    Text,
    TextPattern(
        r"(?!/)(?!(.*/)?\.\.(/|$))[A-Za-z0-9_./-]+",
        "expected a path inside this repository, of letters, digits and . _ - /",
    ),
]
Command = Annotated[tuple[Text, ...], AsTuple, Field(min_length=1)]
_CIDR_FORM = Field(json_schema_extra={"pattern": r"^[0-9]+(\.[0-9]+){3}/[0-9]+$"})
Cidr = Annotated[Text, AfterValidator(_check_cidr), _CIDR_FORM]
VpcCidr = Annotated[Text, AfterValidator(_check_vpc_cidr), _CIDR_FORM]
LogRetention = Annotated[
    Integer, AfterValidator(_check_retention), Field(json_schema_extra={"enum": list(LOG_RETENTION_IN_DAYS)})
]
PortNumber = Annotated[Integer, Field(ge=1, le=65535)]
Day = Annotated[
    date,
    BeforeValidator(_parse_day),
    Field(json_schema_extra={"pattern": f"^{_DAY}$", "patternErrorMessage": _DAY_EXPECTED}),
]
Percent = Annotated[Integer, Field(ge=10, le=90)]
Count = Annotated[Integer, Field(ge=0, le=5000)]  # tasks of a service: ECS service quotas
Protocol = Literal["tcp", "udp"]

Image = Annotated[
    Text,
    TextPattern(r"[A-Za-z0-9_][A-Za-z0-9_./:@-]{0,500}", "expected an image reference, such as nginx:1.29"),
]

# A DNS label (RFC 1035) in lower case that does not begin with a digit, because it becomes part of a
# variable's name.
ServiceName = Annotated[
    str,
    TextPattern(
        r"[a-z]([a-z0-9]|-(?!-)){0,38}(?<!-)",
        "expected lower-case letters, digits and single hyphens, at most 40",
    ),
]
ApplicationName = Annotated[
    Text,
    TextPattern(
        r"[a-z]([a-z0-9]|-(?!-)){0,23}(?<!-)",
        "expected lower-case letters, digits and single hyphens, at most 24",
    ),
]
# Valid for both ECR (lower case, single separators) and IAM.
NamePrefix = Annotated[
    Text,
    TextPattern(
        r"(?=.{1,40}$)[a-z][a-z0-9]*([_-][a-z0-9]+)*",
        "expected lower-case words joined by - or _, at most 40 characters",
    ),
]
# ECS allows more (API reference, PortMapping.name), but the name becomes part of a variable's name.
PortName = Annotated[
    str,
    TextPattern(
        r"[a-z]([a-z0-9]|-(?!-)){0,38}(?<!-)",
        "expected lower-case letters, digits and single hyphens, at most 40",
    ),
]
# A name in a task definition: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
PartName = Annotated[
    str, TextPattern(r"[A-Za-z0-9_-]{1,255}", "expected letters, digits, _ and -, at most 255")
]
StackName = Annotated[
    Text,
    TextPattern(r"[a-z][a-z0-9-]{0,39}", "expected lower-case letters, digits and hyphens, at most 40"),
]
VariableName = Annotated[
    str, TextPattern(r"[A-Za-z_][A-Za-z0-9_]*", "expected letters, digits and _, not beginning with a digit")
]
# `user`, `user:group`, by name or number: API reference, ContainerDefinition.user.
User = Annotated[
    Text,
    TextPattern(
        r"[A-Za-z0-9_.][A-Za-z0-9_.-]*(:[A-Za-z0-9_.][A-Za-z0-9_.-]*)?",
        "expected a user, by name or number, such as 1000 or app:app",
    ),
]
# EC2's tag rules, which are the strictest: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
TagKey = Annotated[
    str,
    TextPattern(
        r"(?![aA][wW][sS]:)[\w .:/=+@-]{1,128}",
        "expected 1 to 128 letters, digits, spaces and . : / = + - @ _, not beginning with aws:",
    ),
]
TagValue = Annotated[
    Text,
    TextPattern(r"[\w .:/=+@-]{0,256}", "expected at most 256 letters, digits, spaces and . : / = + - @ _"),
]
Domain = Annotated[
    Text,
    TextPattern(
        r"(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        "expected a DNS domain of two or more labels, such as dev.shop.internal",
    ),
]
# A name's first label may be `*`: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
HostPattern = Annotated[
    Text,
    TextPattern(
        r"(?=.{1,128}$)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        "expected a host name of at most 128 characters, such as shop.example.com or *.example.com",
    ),
]
# The same page: 128 of these characters, with `*` and `?` as wildcards.
PathPattern = Annotated[
    Text,
    TextPattern(
        r"""/[A-Za-z0-9_.$/~"'@:+&*?-]{0,127}""",
        "expected a path pattern that begins with /, at most 128 characters, such as /api/*",
    ),
]
# An absolute path and an optional query, in RFC 3986's characters.
UrlPath = Annotated[
    Text,
    TextPattern(
        r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,1023}",
        "expected a path that begins with / and has only URL characters, at most 1024, such as /healthz",
    ),
]
ContainerPath = Annotated[
    Text,
    TextPattern(r"/[^\s:]{0,1023}", "expected an absolute path without spaces and colons, such as /var/data"),
]
Account = Annotated[Text, TextPattern(r"[0-9]{12}", "expected the 12 digits of an AWS account")]
Bucket = Annotated[
    Text,
    TextPattern(
        r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "expected 3 to 63 lower-case letters, digits and hyphens"
    ),
]
_ARN = r"arn:aws[a-z-]*:{service}:{region}:{account}:{resource}"


def arn(service: str, resource: str, example: str) -> TextPattern:
    """Match the ARNs of a service's resource: `resource` is a pattern, `example` the end of a valid ARN."""
    is_global = service == "iam"
    region = "" if is_global else "[a-z0-9-]+"
    pattern = _ARN.format(service=service, region=region, account="([0-9]{12}|aws)", resource=resource)
    place = "" if is_global else "ap-northeast-1"
    return TextPattern(pattern, f"expected an ARN, such as arn:aws:{service}:{place}:123456789012:{example}")


# As the S3 backend parses it: hashicorp/terraform, internal/backend/remote-state/s3/validate.go.
_KEY_ID = "[a-f0-9]{8}-[a-f0-9]{4}-[1-5][a-f0-9]{3}-[ab89][a-f0-9]{3}-[a-f0-9]{12}|mrk-[a-f0-9]{32}"
KmsKey = Annotated[Text, arn("kms", f"key/({_KEY_ID})", "key/1234abcd-12ab-34cd-a6ef-1234567890ab")]
Certificate = Annotated[
    Text, arn("acm", "certificate/[A-Za-z0-9-]+", "certificate/12345678-1234-1234-1234-123456789012")
]
TopicArn = Annotated[Text, arn("sns", "[A-Za-z0-9_-]{1,256}", "on-call")]
# https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html
WebAcl = Annotated[
    Text,
    arn(
        "wafv2",
        "regional/webacl/[A-Za-z0-9_-]{1,128}/[A-Za-z0-9-]{1,36}",
        "regional/webacl/shop/12345678-1234-1234-1234-123456789012",
    ),
]
# https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html
HostedZone = Annotated[
    Text, TextPattern(r"Z[A-Z0-9]{1,31}", "expected a hosted zone ID, such as Z0123456789ABCDEFGHIJ")
]
Namespace = Annotated[
    Text, arn("servicediscovery", "namespace/ns-[a-z0-9]+", "namespace/ns-0123456789abcdef")
]
RoleArn = Annotated[Text, arn("iam", r"role/[A-Za-z0-9_+=,.@/-]{1,512}", "role/deploy")]
PolicyArn = Annotated[Text, arn("iam", r"policy/[A-Za-z0-9_+=,.@/-]{1,512}", "policy/read-orders")]
# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
Parameter = Annotated[
    Text,
    TextPattern(
        r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]{1,1011}|/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,14}",
        "expected a parameter name or ARN, such as /shop/db/password; for Secrets Manager write `{ secret:"
        " ... }`",
    ),
]
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
Sid = Annotated[Text, TextPattern(r"[A-Za-z0-9]{1,64}", "expected letters and digits, at most 64")]
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
SecretName = Annotated[
    Text,
    TextPattern(
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9_/+=.@-]{1,519}|[A-Za-z0-9_/+=.@-]{1,512}",
        "expected a secret name or ARN, such as shop/db",
    ),
]


def resource_id(prefix: str) -> TextPattern:
    """Match EC2 and EFS IDs: the prefix, then 8 or 17 hexadecimal digits."""
    return TextPattern(
        f"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", f"expected an ID, such as {prefix}-0123456789abcdef0"
    )


VpcId = Annotated[Text, resource_id("vpc")]
InternetGatewayId = Annotated[Text, resource_id("igw")]
SubnetId = Annotated[Text, resource_id("subnet")]
# The last part of a service's name: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
EndpointName = Annotated[
    Text,
    TextPattern(
        r"[a-z0-9]+([.-][a-z0-9]+)*",
        "expected the end of an endpoint's name, such as s3, ecr.api or secretsmanager",
    ),
]
FileSystemId = Annotated[Text, resource_id("fs")]
AccessPointId = Annotated[Text, resource_id("fsap")]
# Cloud Map IDs consist of letters and digits: API reference, Service.Id and Namespace.Id.
DiscoveryServiceId = Annotated[
    Text, TextPattern("srv-[a-z0-9]{1,60}", "expected an ID, such as srv-0123456789abcdef")
]
NamespaceId = Annotated[Text, TextPattern("ns-[a-z0-9]{1,60}", "expected an ID, such as ns-0123456789abcdef")]


# The fields of a cron expression: description, lowest and highest number, names.
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_CRON: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 1, 7, _DAYS),
    ("year", 1970, 2199, ()),
)
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4
_RATE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]{1,5}) (minutes|hours|days))\)")
_AT = re.compile(r"at\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\)")


def _check_schedule(value: str) -> str:
    """Reject expressions that EventBridge Scheduler does not accept.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """
    if _RATE.fullmatch(value) or _AT.fullmatch(value):
        return value
    if not (value.startswith("cron(") and value.endswith(")")):
        raise ValueError(
            "expected cron(0 3 * * ? *), rate(5 minutes), rate(1 hour) or at(2030-01-31T03:00:00)"
        )
    fields = value[len("cron(") : -1].split(" ")
    if len(fields) != len(_CRON):
        raise ValueError(
            "cron has six fields: minutes, hours, day of the month, month, day of the week, year"
        )
    if (fields[_DAY_OF_MONTH] == "?") == (fields[_DAY_OF_WEEK] == "?"):
        raise ValueError("write ? for either the day of the month or the day of the week")
    for index, (field, (description, least, most, names)) in enumerate(zip(fields, _CRON, strict=True)):
        if not all(
            _is_cron_part(part, index, least, most) for part in _replace_names(field, least, names).split(",")
        ):
            or_names = f" or {names[0]} to {names[-1]}" if names else ""
            expected = f"expected {least} to {most}{or_names}, *, lists, ranges and steps"
            raise ValueError(f"`{field}` is not valid for {description} in cron: {expected}")
    return value


def _replace_names(field: str, least: int, names: tuple[str, ...]) -> str:
    for number, name in enumerate(names, start=least):
        field = field.replace(name, str(number))
    return field


def _is_cron_part(part: str, index: int, least: int, most: int) -> bool:
    if part == "?":
        return index in (_DAY_OF_MONTH, _DAY_OF_WEEK)
    if index == _DAY_OF_MONTH and re.fullmatch(r"L|LW|([1-9]|[12][0-9]|3[01])W", part):
        return True
    if index == _DAY_OF_WEEK and re.fullmatch(r"L|[1-7]L|[1-7]#[1-5]", part):
        return True
    match = re.fullmatch(r"(?:\*|([0-9]{1,4})(?:-([0-9]{1,4}))?)(?:/([1-9][0-9]{0,3}))?", part)
    if match is None:
        return False
    first, last = (int(match[group]) if match[group] else None for group in (1, 2))
    return all(least <= number <= most for number in (first, last) if number is not None) and (
        last is None or first is None or first <= last
    )


ScheduleExpression = Annotated[
    Text, AfterValidator(_check_schedule), Field(json_schema_extra={"pattern": r"^(cron|rate|at)\(.+\)$"})
]
TimeZone = Annotated[
    Text, TextPattern(r"[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}", "expected a time zone, such as UTC or Asia/Tokyo")
]


def _check_port_reference(value: Any) -> Any:  # noqa: ANN401 - anything that YAML can hold
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535:  # noqa: PLR2004 - TCP's ports
        return value
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,39}", value):
        return value
    raise ValueError("expected a port name or a number from 1 to 65535")


PortReference = Annotated[int | str, BeforeValidator(_check_port_reference)]
