"""What Terraform's output says when it fails, in one line with a remedy."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from fleetform.base.errors import ProgramError
from fleetform.base.program_name import command
from fleetform.terraform.plain_text import one_line, unboxed
from fleetform.terraform.recovery import already_exists

_Explanation: TypeAlias = Callable[[re.Match[str], str], str]
"""Makes the line of what was found and the environment's name."""


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
# The codes that the SDK takes for throttling: aws-sdk-go-v2, aws/retry/standard.go.
_THROTTLE = (
    r"(?:api error (?:Throttl\w*|RequestThrottled\w*|TooManyRequestsException|RequestLimitExceeded|SlowDown"
    r"|BandwidthLimitExceeded|EC2ThrottledException|PriorRequestNotComplete)\b|retry quota exceeded)"
)
_SENDING = (
    r"request send failed, \w+ \"\w+://(?P<host>[^/\"]+)[^\"]*\": (?:(?!request send failed).)*?"
    r"(?P<why>connection refused|connection reset by peer|no such host|network is unreachable|i/o timeout|EOF"
    r"|TLS handshake timeout|context deadline exceeded|x509: [^,]*?(?= with |$))"
)
_RETRY = "run it again: what was done is in the state"
# Of what the rendered stacks read of the foundation: templates/services/foundation.tf.j2.
_FOUNDATION_OUTPUTS = re.compile(
    r"Unable to find remote state\b|(?:Unsupported attribute|Invalid index)\b.*?\blocal\.foundation\b", re.DOTALL
)
_ERROR = re.compile(r"^ ?Error: ", re.MULTILINE)
_PROVIDER = r"Could not retrieve the list of available versions for provider (?P<provider>\S+): "


def explain(output: str, environment: str) -> str | None:
    """What went wrong and how to mend it; None if it is nothing that we know.

    Args:
        output: All that Terraform printed, in colour or not.
        environment: The environment's name, for the remedies.
    """
    text = one_line(output)
    for pattern, tell in _FAILURES:
        if found := pattern.search(text):
            return tell(found, environment)
    if lacks_outputs(output):
        return (
            "it reads outputs of the foundation that are not there yet;"
            f" `{command('apply', env=environment)}` applies the foundation first"
        )
    return None


def lacks_outputs(output: str) -> bool:
    """Whether a stack cannot be planned for this alone, that the foundation's outputs lack what it reads.

    Args:
        output: All that Terraform printed, in colour or not.
    """
    _, *errors = _ERROR.split(unboxed(output))
    return bool(errors) and all(map(_FOUNDATION_OUTPUTS.match, errors))


@contextmanager
def translate_failures(environment: str) -> Iterator[None]:
    """Puts the explanation before the message of a Terraform that failed.

    Raises:
        ProgramError: It failed.
    """
    try:
        yield
    except ProgramError as error:
        told = explain(error.output or str(error), environment)
        if told is None:
            raise
        raise ProgramError(f"{told}\n{error}", error.output) from None


def _not_saved(_found: re.Match[str], environment: str) -> str:
    return (
        "what was done is not in the state yet: Terraform could not save it, and left it in errored.tfstate;"
        f" keep that file, and `{command('state-doctor', env=environment)}` says how to push it"
    )


def _disk_full(_found: re.Match[str], _environment: str) -> str:
    return "the disk is full; make room where .fleetform/ is, and in the folder for temporary files, then run it again"


def _locked(found: re.Match[str], environment: str) -> str:
    remedy = (
        f"wait for it with `--wait MINUTES`, or see with `{command('state-doctor', env=environment)}` if it is alive"
    )
    if found["id"] is None:
        return f"the state is locked by another run, which does not say whose; {remedy}"
    doing = found["operation"].removeprefix("OperationType").lower()
    who = f"{found['who'] or 'somebody'} ({doing}, Terraform {found['version']})"
    return f"the state is locked by {who} since {found['created']} UTC; {remedy}"


def _no_credentials(_found: re.Match[str], _environment: str) -> str:
    return (
        "no AWS credentials are found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
        " or sign in with `aws sso login`"
    )


def _expired(_found: re.Match[str], _environment: str) -> str:
    return "the AWS credentials have expired; sign in again, as with `aws sso login`, or fetch new ones"


def _invalid(_found: re.Match[str], _environment: str) -> str:
    return "AWS does not know the credentials; see what AWS_PROFILE and AWS_ACCESS_KEY_ID say, or fetch new ones"


def _other_account(found: re.Match[str], environment: str) -> str:
    return (
        f"the AWS credentials are of account {found['account']}, which is not {environment}'s; choose others with"
        " AWS_PROFILE, or mend `account` in the catalog"
    )


def _no_bucket(found: re.Match[str], environment: str) -> str:
    return f"the state bucket {found['bucket']} is not there; `{command('bootstrap', env=environment)}` makes it"


def _not_in_mirrors(found: re.Match[str], _environment: str) -> str:
    mirrors = found["places"].strip(" -").replace(" - ", ", ")
    return (
        f"provider {found['provider']} is in none of the mirrors ({mirrors}); put it there with `terraform providers"
        " mirror`, or let the CLI configuration (TF_CLI_CONFIG_FILE, ~/.terraformrc) ask the registry"
    )


def _registry_silent(found: re.Match[str], _environment: str) -> str:
    return (
        f"provider {found['provider']}: no connection to {found['host']}; set HTTPS_PROXY, or have a mirror:"
        " `terraform providers mirror` fills one, the CLI configuration (TF_CLI_CONFIG_FILE, ~/.terraformrc) names it"
    )


def _no_release(found: re.Match[str], _environment: str) -> str:
    return (
        f"provider {found['provider']} is not to be had in version {found['version']}, neither in mirrors nor in the"
        " registry; put it into the mirror with `terraform providers mirror`"
    )


def _too_old(found: re.Match[str], _environment: str) -> str:
    return (
        f"{found['program']} {found['version']} does not suit the stack, whose `required_version` wants another;"
        " install one that does, or take this one off PATH: `./run` brings one"
    )


def _state_of_newer(found: re.Match[str], _environment: str) -> str:
    return (
        f"the state has format {found['format']}, which {found['program']} {found['version']} does not know: a newer"
        " one wrote it; install that, or take this one off PATH"
    )


def _stale_plan(_found: re.Match[str], _environment: str) -> str:
    return "the state has changed since the plan was made, so nothing was applied; plan again, and look at it again"


def _checksum(found: re.Match[str], environment: str) -> str:
    return (
        f"the state {found['key']} in {found['bucket']} is not what its checksum says: wait two minutes and try again;"
        f" if it stays, `{command('state-doctor', env=environment)}` shows which states can be read"
    )


def _serial(found: re.Match[str], _environment: str) -> str:
    return (
        f"the state in the bucket is newer (serial {found['there']}) than the one that is pushed (serial"
        f" {found['pushed']}): somebody has applied since; push nothing, and plan again to see what differs"
    )


def _same_serial(_found: re.Match[str], _environment: str) -> str:
    return (
        "the state in the bucket has the serial of the one that is pushed, and differs: somebody has applied since;"
        " push nothing, and plan again to see what differs"
    )


def _lineage(_found: re.Match[str], _environment: str) -> str:
    return "the state that is pushed is not an earlier one of the state in the bucket; see that it is the right stack's"


def _denied(found: re.Match[str], _environment: str) -> str:
    """Names all that is denied: who mends policies would rather do it once."""
    what = ", nor ".join(dict.fromkeys(map(_permission, _DENIED.finditer(found.string))))
    return f"AWS does not let {found['who']} do {what}; change the policies, then {_RETRY}"


def _permission(found: re.Match[str]) -> str:
    why = f" (an explicit deny of a {found['policy']})" if found["policy"] else ""
    return f"{found['action']} on {found['resource'] or '*'}{why}"


def _forbidden(found: re.Match[str], _environment: str) -> str:
    return (
        f"AWS denies {found['service']}: {found['operation']}; see whose the credentials are (`aws sts"
        f" get-caller-identity`) and what they may do, then {_RETRY}"
    )


def _exists(found: re.Match[str], environment: str) -> str:
    """Names all that exists: what is not imported needs a hand."""
    again = command("apply", env=environment)
    return (
        f"{', '.join(dict.fromkeys(already_exists.addresses(found.string)))}: exists already; if an earlier apply made"
        f" it, `{again}` again imports it, else give it another name, or `adopt` it in the catalog"
    )


def _throttled(found: re.Match[str], _environment: str) -> str:
    return (
        f"AWS gets more requests than it takes ({found['service']}: {found['operation']}), of yours and of others in"
        f" the account; wait a minute, then {_RETRY}"
    )


def _failing(found: re.Match[str], _environment: str) -> str:
    return (
        f"AWS fails ({found['service']}: {found['operation']} answered {found['status']}); see"
        f" https://health.aws.amazon.com, then {_RETRY}"
    )


def _unreachable(found: re.Match[str], _environment: str) -> str:
    return (
        f"no connection to AWS at {found['host']} ({found['why'].strip()}); see to the network, or HTTPS_PROXY, then"
        f" {_RETRY}"
    )


# The first that is found counts: a state that is not saved is worse than the token that has expired.
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
            r"\b(ExpiredToken(Exception)?|RequestExpired)\b|SSO session (?:associated with this profile )?has expired"
            r"|Token has expired|cached SSO token|SSO Token"
        ),
        _expired,
    ),
    (
        re.compile(r"\b(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch)\b"),
        _invalid,
    ),
    (re.compile(r"AWS account ID not allowed: (?P<account>\d+)"), _other_account),
    (re.compile(r"S3 bucket \"(?P<bucket>[^\"]+)\" does not exist"), _no_bucket),
    (re.compile(_PROVIDER + r".*? any of the search locations (?P<places>(?:- \S+ ?)+)"), _not_in_mirrors),
    (re.compile(_PROVIDER + r"could not connect to (?P<host>[^:]+):"), _registry_silent),
    (re.compile(_PROVIDER + r"no available releases match the given constraints (?P<version>\S+)"), _no_release),
    (re.compile(r"does not support (?P<program>Terraform|OpenTofu) version (?P<version>\S+)\. "), _too_old),
    (
        re.compile(
            r"format version (?P<format>\d+), which is not supported by (?P<program>Terraform|OpenTofu)"
            r" (?P<version>\S+)\. "
        ),
        _state_of_newer,
    ),
    (re.compile("Saved plan is stale"), _stale_plan),
    (re.compile(r"does not have the expected content\..*? Bucket: (?P<bucket>\S+) Key: (?P<key>\S+)"), _checksum),
    (
        re.compile(r"cannot import state with serial (?P<pushed>\d+) over newer state with serial (?P<there>\d+)"),
        _serial,
    ),
    (re.compile(r"different state that has the same serial"), _same_serial),
    (re.compile("cannot import state with lineage"), _lineage),
    (_DENIED, _denied),
    (re.compile(_OPERATION + r"api error (?:AccessDenied\w*|UnauthorizedOperation|Forbidden)\b"), _forbidden),
    (already_exists.PATTERN, _exists),
    (re.compile(_OPERATION + _THROTTLE), _throttled),
    (re.compile(_OPERATION + r"StatusCode: (?P<status>5\d\d)\b"), _failing),
    (re.compile(_SENDING), _unreachable),
)
