"""Explain a failure of Terraform from its output, in one line with a remedy."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from fleetform.base.errors import ProgramError
from fleetform.base.program_name import command
from fleetform.terraform.plain_text import one_line, unboxed
from fleetform.terraform.recovery import already_exists

_Explanation: TypeAlias = Callable[[re.Match[str], str], str]
"""Build the line from the match and the environment's name."""


# Field by field as Terraform prints them: hashicorp/terraform, internal/states/statemgr/locker.go.
_LOCK = (
    r"Error acquiring the state lock(?:.*?ID: (?P<id>\S+).*?Operation: (?P<operation>\S*) Who: (?P<who>.*?)"
    r" Version: (?P<version>\S*) Created: (?P<created>[0-9-]+ [0-9:]+))?"
)
# As the AWS SDK for Go 2 prints its errors; `api error` and what follows stay within the operation's own.
_OPERATION = r"operation error (?P<service>[^:]+): (?P<operation>\w+), (?:(?!operation error).)*?"
_DENIED = re.compile(
    r"User: (?P<who>\S+) is not authorized to perform: (?P<action>\S+)(?: on resource: (?P<resource>\S+))?"
    r"(?: with an explicit deny in an? (?P<policy>[a-z-]+(?: [a-z-]+)*? policy))?"
)
# The codes that the SDK treats as throttling: aws-sdk-go-v2, aws/retry/standard.go.
_THROTTLE = (
    r"(?:api error (?:Throttl\w*|RequestThrottled\w*|TooManyRequestsException|RequestLimitExceeded|SlowDown"
    r"|BandwidthLimitExceeded|EC2ThrottledException|PriorRequestNotComplete)\b|retry quota exceeded)"
)
_SENDING = (
    r"request send failed, \w+ \"\w+://(?P<host>[^/\"]+)[^\"]*\": (?:(?!request send failed).)*?"
    r"(?P<why>connection refused|connection reset by peer|no such host|network is unreachable|i/o timeout|EOF"
    r"|TLS handshake timeout|context deadline exceeded|x509: [^,]*?(?= with |$))"
)
_RETRY = "run it again; the state has what was done"
# What the rendered stacks read from the foundation: templates/services/foundation.tf.j2.
_FOUNDATION_OUTPUTS = re.compile(
    r"Unable to find remote state\b|(?:Unsupported attribute|Invalid index)\b.*?\blocal\.foundation\b",
    re.DOTALL,
)
_ERROR = re.compile(r"^ ?Error: ", re.MULTILINE)
_PROVIDER = r"Could not retrieve the list of available versions for provider (?P<provider>\S+): "


def explain(output: str, environment: str) -> str | None:
    """Explain what went wrong and how to fix it; None for an unknown failure.

    Args:
        output: Everything that Terraform printed, colored or not.
        environment: The environment's name, for the remedies.
    """
    text = one_line(output)
    for pattern, explanation in _FAILURES:
        if found := pattern.search(text):
            return explanation(found, environment)
    if lacks_outputs(output):
        return (
            "it reads outputs that the foundation does not have yet; apply the foundation first:"
            f" `{command('apply', env=environment)}`"
        )
    return None


def lacks_outputs(output: str) -> bool:
    """Whether a stack cannot be planned only because the foundation's outputs lack what it reads.

    Args:
        output: Everything that Terraform printed, colored or not.
    """
    _, *errors = _ERROR.split(unboxed(output))
    return bool(errors) and all(map(_FOUNDATION_OUTPUTS.match, errors))


@contextmanager
def translate_failures(environment: str) -> Iterator[None]:
    """Put an explanation before the message of a failed Terraform command.

    Raises:
        ProgramError: Terraform failed.
    """
    try:
        yield
    except ProgramError as error:
        explanation = explain(error.output or str(error), environment)
        if explanation is None:
            raise
        raise ProgramError(f"{explanation}\n{error}", error.output) from None


def _not_saved(_found: re.Match[str], environment: str) -> str:
    return (
        "Terraform could not save the state and left it in errored.tfstate. Keep that file;"
        f" `{command('state-doctor', env=environment)}` shows how to push it"
    )


def _disk_full(_found: re.Match[str], _environment: str) -> str:
    return "the disk is full; free space for .fleetform/ and in the temporary folder, then run it again"


def _locked(found: re.Match[str], environment: str) -> str:
    remedy = (
        "wait for it with `--wait MINUTES`, or check whether it is alive:"
        f" `{command('state-doctor', env=environment)}`"
    )
    if found["id"] is None:
        return f"the state is locked by another, unknown run; {remedy}"
    doing = found["operation"].removeprefix("OperationType").lower()
    who = f"{found['who'] or 'an unknown user'} ({doing}, Terraform {found['version']})"
    return f"the state is locked by {who} since {found['created']} UTC; {remedy}"


def _no_credentials(_found: re.Match[str], _environment: str) -> str:
    return (
        "no AWS credentials found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
        " or sign in with `aws sso login`"
    )


def _expired(_found: re.Match[str], _environment: str) -> str:
    return (
        "the AWS credentials have expired; sign in again, for example with `aws sso login`, or get new ones"
    )


def _invalid(_found: re.Match[str], _environment: str) -> str:
    return "AWS rejects the credentials as unknown; check AWS_PROFILE and AWS_ACCESS_KEY_ID, or get new ones"


def _other_account(found: re.Match[str], environment: str) -> str:
    return (
        f"the AWS credentials belong to account {found['account']}, which is not {environment}'s; choose"
        " others with"
        " AWS_PROFILE, or fix `account` in the catalog"
    )


def _no_bucket(found: re.Match[str], environment: str) -> str:
    again = command("bootstrap", env=environment)
    return f"the state bucket {found['bucket']} does not exist; create it with `{again}`"


def _not_in_mirrors(found: re.Match[str], _environment: str) -> str:
    mirrors = found["places"].strip(" -").replace(" - ", ", ")
    return (
        f"provider {found['provider']} is not in the mirrors ({mirrors}); add it with `terraform providers"
        " mirror`, or have the CLI configuration (TF_CLI_CONFIG_FILE, ~/.terraformrc) use the registry"
    )


def _registry_unreachable(found: re.Match[str], _environment: str) -> str:
    return (
        f"provider {found['provider']}: cannot connect to {found['host']}; set HTTPS_PROXY, or use a"
        " mirror: fill one"
        " with `terraform providers mirror` and name it in the CLI configuration (TF_CLI_CONFIG_FILE,"
        " ~/.terraformrc)"
    )


def _version_unavailable(found: re.Match[str], _environment: str) -> str:
    return (
        f"provider {found['provider']} is not available in version {found['version']}, neither in a mirror"
        " nor in the"
        " registry; add it to the mirror with `terraform providers mirror`"
    )


def _too_old(found: re.Match[str], _environment: str) -> str:
    return (
        f"{found['program']} {found['version']} does not meet the stack's `required_version`; install a"
        " version that"
        " does, or remove this one from PATH: `./run` installs one"
    )


def _newer_state(found: re.Match[str], _environment: str) -> str:
    return (
        f"the state has format {found['format']}, which {found['program']} {found['version']} cannot read:"
        " a newer"
        " version wrote it; install that version, or remove this one from PATH"
    )


def _stale_plan(_found: re.Match[str], _environment: str) -> str:
    return (
        "the state has changed since the plan was made, so nothing was applied; plan again and review"
        " the new plan"
    )


def _checksum(found: re.Match[str], environment: str) -> str:
    return (
        f"the state {found['key']} in {found['bucket']} does not match its checksum; wait two minutes and"
        " try again. If"
        f" that does not help, `{command('state-doctor', env=environment)}` shows which states are readable"
    )


def _serial(found: re.Match[str], _environment: str) -> str:
    return (
        f"the state in the bucket is newer (serial {found['there']}) than the pushed one (serial"
        f" {found['pushed']}): there was an apply in between; push nothing, and plan again to see what"
        " differs"
    )


def _same_serial(_found: re.Match[str], _environment: str) -> str:
    return (
        "the state in the bucket has the same serial as the pushed one but differs: there was an apply in"
        " between;"
        " push nothing, and plan again to see what differs"
    )


def _lineage(_found: re.Match[str], _environment: str) -> str:
    return "the pushed state does not belong to the state in the bucket; check that it is the right stack's"


def _denied(found: re.Match[str], _environment: str) -> str:
    """Name every denied action, so that the policies can be fixed in one go."""
    what = ", nor ".join(dict.fromkeys(map(_permission, _DENIED.finditer(found.string))))
    return f"AWS does not allow {found['who']} to do {what}; change the policies, then {_RETRY}"


def _permission(found: re.Match[str]) -> str:
    why = f" (an explicit deny of a {found['policy']})" if found["policy"] else ""
    return f"{found['action']} on {found['resource'] or '*'}{why}"


def _forbidden(found: re.Match[str], _environment: str) -> str:
    return (
        f"AWS denies {found['service']}: {found['operation']}; check whose credentials these are (`aws sts"
        f" get-caller-identity`) and their permissions, then {_RETRY}"
    )


def _exists(found: re.Match[str], environment: str) -> str:
    """Name everything that exists: what cannot be imported has to be fixed by hand."""
    again = command("apply", env=environment)
    return (
        f"{', '.join(dict.fromkeys(already_exists.addresses(found.string)))}: already exists. If an earlier"
        " apply"
        f" created it, `{again}` imports it; otherwise choose a different name, or `adopt` it in the catalog"
    )


def _throttled(found: re.Match[str], _environment: str) -> str:
    return (
        f"AWS throttles requests of this account ({found['service']}: {found['operation']});"
        f" wait a minute, then {_RETRY}"
    )


def _failing(found: re.Match[str], _environment: str) -> str:
    return (
        f"AWS failed ({found['service']}: {found['operation']} answered {found['status']}); check"
        f" https://health.aws.amazon.com, then {_RETRY}"
    )


def _unreachable(found: re.Match[str], _environment: str) -> str:
    return (
        f"cannot connect to AWS at {found['host']} ({found['why'].strip()}); check the network and"
        " HTTPS_PROXY, then"
        f" {_RETRY}"
    )


# The first match counts: a state that is not saved is worse than an expired token.
_FAILURES: tuple[tuple[re.Pattern[str], _Explanation], ...] = (
    (re.compile(r"written to the file \"errored\.tfstate\""), _not_saved),
    (re.compile("no space left on device"), _disk_full),
    (re.compile(_LOCK), _locked),
    (
        re.compile("No valid credential sources found|no EC2 IMDS role found|Unable to locate credentials"),
        _no_credentials,
    ),
    (
        re.compile(
            r"\b(ExpiredToken(Exception)?|RequestExpired)\b|SSO session (?:associated with this profile"
            r" )?has expired"
            r"|Token has expired|cached SSO token|SSO Token"
        ),
        _expired,
    ),
    (
        re.compile(
            r"\b(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch)\b"
        ),
        _invalid,
    ),
    (re.compile(r"AWS account ID not allowed: (?P<account>\d+)"), _other_account),
    (re.compile(r"S3 bucket \"(?P<bucket>[^\"]+)\" does not exist"), _no_bucket),
    (re.compile(_PROVIDER + r".*? any of the search locations (?P<places>(?:- \S+ ?)+)"), _not_in_mirrors),
    (re.compile(_PROVIDER + r"could not connect to (?P<host>[^:]+):"), _registry_unreachable),
    (
        re.compile(_PROVIDER + r"no available releases match the given constraints (?P<version>\S+)"),
        _version_unavailable,
    ),
    (re.compile(r"does not support (?P<program>Terraform|OpenTofu) version (?P<version>\S+)\. "), _too_old),
    (
        re.compile(
            r"format version (?P<format>\d+), which is not supported by (?P<program>Terraform|OpenTofu)"
            r" (?P<version>\S+)\. "
        ),
        _newer_state,
    ),
    (re.compile("Saved plan is stale"), _stale_plan),
    (
        re.compile(r"does not have the expected content\..*? Bucket: (?P<bucket>\S+) Key: (?P<key>\S+)"),
        _checksum,
    ),
    (
        re.compile(
            r"cannot import state with serial (?P<pushed>\d+) over newer state with serial (?P<there>\d+)"
        ),
        _serial,
    ),
    (re.compile(r"different state that has the same serial"), _same_serial),
    (re.compile("cannot import state with lineage"), _lineage),
    (_DENIED, _denied),
    (re.compile(_OPERATION + r"api error (?:AccessDenied\w*|UnauthorizedOperation|Forbidden)\b"), _forbidden),
    (already_exists.ALREADY_EXISTS, _exists),
    (re.compile(_OPERATION + _THROTTLE), _throttled),
    (re.compile(_OPERATION + r"StatusCode: (?P<status>5\d\d)\b"), _failing),
    (re.compile(_SENDING), _unreachable),
)
