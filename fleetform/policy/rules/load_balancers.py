"""Load balancers: TLS, forwarded requests and health checks."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Path, Unknown
from fleetform.policy.helpers.references import find_referenced, refers_to
from fleetform.policy.requirements import FALSE, TRUE, require
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, environment_rule, rule

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

_ALB = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application"
# The provider has two names for each.
_BALANCERS = ("aws_lb", "aws_alb")
_LISTENERS = ("aws_lb_listener", "aws_alb_listener")
_LISTENER_RULES = ("aws_lb_listener_rule", "aws_alb_listener_rule")
_TARGET_GROUPS = ("aws_lb_target_group", "aws_alb_target_group")

Answers = Iterator[Violation | Undecided]


def _is_application(balancer: Resource) -> bool:
    return balancer.value("load_balancer_type", default="application") == "application"


def _example(protocol: str, policy: str) -> str:
    """Return an example."""
    return f"""\
resource "aws_lb_listener" "this" {{
  load_balancer_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/1"
  port              = 443
  protocol          = "{protocol}"
  ssl_policy        = "{policy}"
}}
"""


@environment_rule(
    "FF027",
    "Requests from the internet are encrypted.",
    *(*_BALANCERS, *_LISTENERS, *_LISTENER_RULES),
    severity=Severity.HIGH,
    why="Over HTTP, anyone on the network path can read passwords and sessions, and change responses.",
    link=f"{_ALB}/create-https-listener.html",
    checkov=("CKV_AWS_2", "CKV2_AWS_20"),
    good="""\
resource "aws_lb" "this" {
  name = "shop-prod"
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      status_code = "HTTP_301"
      protocol    = "HTTPS"
      port        = "443"
    }
  }
}
""",
    bad="""\
resource "aws_lb" "this" {
  name = "shop-prod"
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/1"
  }
}

resource "aws_lb_listener" "other" {
  load_balancer_arn = aws_lb.this.arn
  port              = 8080
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "other" {
  listener_arn = aws_lb_listener.other.arn

  action {
    type             = "forward"
    target_group_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/1"
  }
}
""",
)
def requests_from_the_internet_are_encrypted(
    view: View, _: "Environment"
) -> Iterator[tuple[Resource, Violation | Undecided]]:
    """Include listener rules. Internal load balancers are inside the VPC; fixed responses are harmless."""
    balancers = view.of(*_BALANCERS)
    for listener in view.of(*_LISTENERS):
        protocol, arn = listener.value("protocol"), listener.value("load_balancer_arn")
        balancer = find_referenced(arn, balancers)
        internal = balancer.value("internal", default=False) if balancer else None
        if protocol != "HTTP" or internal in TRUE or not (at := _forwarding_path(listener, balancer, view)):
            continue
        if internal in FALSE:
            remedy = "set `ingress.certificate`, and redirect to HTTPS"
            yield listener, Violation("requests from the internet are not encrypted", remedy, at)
        elif isinstance(internal, Unknown) or isinstance(arn, Unknown):
            yield listener, Undecided(("load_balancer_arn",))


def _forwarding_path(listener: Resource, balancer: Resource | None, view: View) -> Path | None:
    """Return the path of the action with which a listener, or a rule of it, forwards; None without one."""
    action: Path = ("default_action", 0)
    if _forwards(listener, action):
        return action
    rules = [
        rule.value("listener_arn") for rule in view.of(*_LISTENER_RULES) if _forwards(rule, ("action", 0))
    ]
    answers = {refers_to(arn, listener) for arn in rules}
    # A rule in a different stack belongs to the only listener.
    is_only = balancer is not None and not any(
        other is not listener and refers_to(other.value("load_balancer_arn"), balancer)
        for other in view.of(*_LISTENERS)
    )
    return ("protocol",) if True in answers or (None in answers and is_only) else None


def _forwards(resource: Resource, action: Path) -> bool:
    kind = resource.value(*action, "type")
    if kind == "redirect":
        return resource.value(*action, "redirect", 0, "protocol", default="#{protocol}") in (
            "HTTP",
            "#{protocol}",
        )
    return isinstance(kind, str) and kind != "fixed-response"


_OLD_TLS = re.compile(r"ELBSecurityPolicy-(20\d\d-\d\d|TLS13-1-[01]-.*|TLS-1-[01]-.*|FS-2018-06|FS-1-1-.*)")


@rule(
    "FF028",
    "Listeners require TLS 1.2 or newer.",
    *_LISTENERS,
    severity=Severity.MEDIUM,
    why="TLS 1.0 and 1.1 have known attacks, and the AWS default policy still accepts both.",
    link=f"{_ALB}/describe-ssl-policies.html",
    checkov=("CKV_AWS_103", "CKV2_AWS_74"),
    good=_example("HTTPS", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"),
    bad=_example("HTTPS", "ELBSecurityPolicy-2016-08"),
)
def listeners_require_new_tls(resource: Resource, _: Facts) -> Answers:
    """AWS's default is ELBSecurityPolicy-2016-08."""
    if resource.value("protocol") not in ("HTTPS", "TLS"):
        return
    policy = resource.value("ssl_policy", default="ELBSecurityPolicy-2016-08")
    if isinstance(policy, Unknown):
        yield Undecided(("ssl_policy",))
    elif isinstance(policy, str) and _OLD_TLS.fullmatch(policy):
        remedy = 'set ssl_policy = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"'
        yield Violation(f"{policy} accepts TLS 1.0 or 1.1", remedy, ("ssl_policy",))


@rule(
    "FF029",
    "Load balancers drop invalid headers.",
    *_BALANCERS,
    severity=Severity.MEDIUM,
    why="Headers that two servers parse differently can hide one request in another.",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-4",
    checkov=("CKV_AWS_131",),
    good='resource "aws_lb" "this" {\n  drop_invalid_header_fields = true\n}\n',
    bad='resource "aws_lb" "this" {\n  name = "shop-prod"\n}\n',
)
def invalid_headers_are_dropped(resource: Resource, _: Facts) -> Answers:
    """Check application load balancers: others see no headers."""
    if _is_application(resource):
        at = ("drop_invalid_header_fields",)
        violation = Violation("invalid headers reach the tasks", "set drop_invalid_header_fields = true", at)
        yield from require(resource, TRUE, violation, default=False)


@rule(
    "FF030",
    "Load balancers in protected environments have deletion protection.",
    *_BALANCERS,
    severity=Severity.MEDIUM,
    why="A new load balancer has a different DNS name, and everything that points to the old one breaks.",
    link=f"{_ALB}/edit-load-balancer-attributes.html#deletion-protection",
    checkov=("CKV_AWS_150",),
    good='resource "aws_lb" "this" {\n  enable_deletion_protection = true\n}\n',
    bad='resource "aws_lb" "this" {\n  name = "shop-prod"\n}\n',
)
def load_balancers_are_protected(resource: Resource, facts: Facts) -> Answers:
    """Check environments with `protection: true` in the catalog."""
    if facts.protected:
        at = ("enable_deletion_protection",)
        violation = Violation("it can be deleted by accident", "set enable_deletion_protection = true", at)
        yield from require(resource, TRUE, violation, default=False)


@rule(
    "FF031",
    "Internet-facing load balancers have access logs.",
    *_BALANCERS,
    severity=Severity.MEDIUM,
    why="Without access logs, there is no record of who requested what, or of what an attacker tried.",
    link=f"{_ALB}/load-balancer-access-logs.html",
    checkov=("CKV_AWS_91",),
    good="""\
resource "aws_lb" "this" {
  access_logs {
    enabled = true
    bucket  = "shop-prod-access-logs"
  }
}
""",
    bad="""\
resource "aws_lb" "this" {
  access_logs {
    bucket = "shop-prod-access-logs"
  }
}
""",
)
def requests_are_logged(resource: Resource, _: Facts) -> Answers:
    """Check application load balancers: network load balancers log only TLS. A bucket enables no logs."""
    internal = resource.value("internal", default=False)
    if not _is_application(resource) or internal in TRUE:
        return
    violation = Violation(
        "access logs are off", "set access_logs with enabled = true", ("access_logs", 0, "enabled")
    )
    answers = list(require(resource, TRUE, violation, default=False))
    yield from [Undecided(("internal",))] if answers and isinstance(internal, Unknown) else answers


@rule(
    "FF032",
    "Load balancers block ambiguous requests.",
    *_BALANCERS,
    severity=Severity.MEDIUM,
    why="In `monitor` mode, a request that is hidden in another one reaches the tasks.",
    link=f"{_ALB}/desync-mitigation-mode.html",
    checkov=("CKV_AWS_328",),
    good='resource "aws_lb" "this" {\n  name = "shop-prod"\n}\n',
    bad='resource "aws_lb" "this" {\n  desync_mitigation_mode = "monitor"\n}\n',
)
def ambiguous_requests_are_blocked(resource: Resource, _: Facts) -> Answers:
    """AWS's default is `defensive`."""
    if _is_application(resource):
        remedy = 'set desync_mitigation_mode = "defensive"'
        violation = Violation("ambiguous requests reach the tasks", remedy, ("desync_mitigation_mode",))
        yield from require(resource, ("defensive", "strictest"), violation, default="defensive")


@rule(
    "FF033",
    "Health checks do not accept error responses.",
    *_TARGET_GROUPS,
    severity=Severity.MEDIUM,
    why="A task that answers its health check with 404 or 500 still gets requests.",
    link=f"{_ALB}/target-group-health-checks.html",
    good="""\
resource "aws_lb_target_group" "web" {
  protocol = "HTTP"

  health_check {
    path    = "/healthz"
    matcher = "200-299"
  }
}
""",
    bad="""\
resource "aws_lb_target_group" "web" {
  protocol = "HTTP"

  health_check {
    path    = "/healthz"
    matcher = "200-499"
  }
}
""",
)
def error_responses_are_unhealthy(resource: Resource, _: Facts) -> Answers:
    """AWS's default checks `/` for 200; 401 or 403 is accepted if it is listed by itself."""
    if resource.value("protocol_version") == "GRPC" or resource.value("protocol") not in ("HTTP", "HTTPS"):
        return
    at: Path = ("health_check", 0, "matcher")
    matcher = resource.value(*at, default="200")
    if isinstance(matcher, Unknown):
        yield Undecided(at)
    elif any(_is_error(part) for part in str(matcher).split(",")):
        yield Violation(f"{matcher} accepts error responses", 'set matcher = "200-399"', at)


_FIRST_ERROR, _UNAUTHORIZED, _FORBIDDEN = 400, "401", "403"


def _is_error(codes: str) -> bool:
    last = codes.strip().rpartition("-")[2]
    return last.isdecimal() and int(last) >= _FIRST_ERROR and codes.strip() not in (_UNAUTHORIZED, _FORBIDDEN)
