"""Detection of secrets: names by their ending, values by the formats of their issuers.

The formats are those of detect-secrets, without those for names, addresses and IDs:
https://github.com/Yelp/detect-secrets
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from fleetform.hcl.eval.values import Unknown, Value

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

# Matched at the end: SECRET_ARN, TOKEN_URL or PASSWORD_FILE are references.
_NAME = re.compile(
    r"""(.*(password|passwd|passphrase)
        |(.*[_.-])(pwd|pass)
        |(.*[_.-])?(secret|token|credentials?)
        |.*(client|app|jwt|shared|webhook)[_.-]?secret
        |.*(access|auth|refresh|api|bot)[_.-]?token
        |(.*[_.-])?(api|auth|access|private|secret|signing|encryption|license)[_.-]?key
        |.*secret[_.-]?key([_.-]base)?)""",
    re.IGNORECASE | re.VERBOSE,
)
_PASSWORD = re.compile(r".*(password|passwd|passphrase|pwd|pass)", re.IGNORECASE)
# Text that a program fills in: a shell variable, a template field.
_TEMPLATE = re.compile(r".*(\$\{?[A-Za-z(]|\{\{|<[\w .-]+>|%\(?\w+\)?[%s]|\{\w+\}).*", re.DOTALL)
# References: a path, an ARN, a URL, the name of a secret.
_REFERENCE = re.compile(
    r"\s*|[/~.].*|arn:.*|[a-z][a-z0-9+-]*://[^@]*|[a-z0-9_.-]+(/[a-z0-9_.-]+)+", re.DOTALL
)
_WORD = re.compile(
    r"true|false|yes|no|on|off|none|null|nil|enabled|disabled|optional|required|auto|default", re.IGNORECASE
)
_PLACEHOLDER = re.compile(
    r"""\W*|x+|todo|tbd|temp|initial|unset
        |.*(change|replace|fill)[ _-]?(me|this|it|in).*|.*(example|placeholder|dummy|redacted).*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# The attributes of generated resources that contain secrets rather than references to them.
_SECRET_PARTS: Final = frozenset(
    {"auth_token", "master_password", "password", "plaintext", "result", "secret", "secret_string", "token"}
)

_DETECTORS: Mapping[str, str] = {
    "aws.AWSKeyDetector": "an AWS access key",
    "azure_storage_key.AzureStorageKeyDetector": "an Azure storage key",
    "basic_auth.BasicAuthDetector": "a password in a URL",
    "github_token.GitHubTokenDetector": "a GitHub token",
    "gitlab_token.GitLabTokenDetector": "a GitLab token",
    "jwt.JwtTokenDetector": "a JSON web token",
    "mailchimp.MailchimpDetector": "a Mailchimp API key",
    "openai.OpenAIDetector": "an OpenAI API key",
    "private_key.PrivateKeyDetector": "a private key",
    "pypi_token.PypiTokenDetector": "a PyPI token",
    "sendgrid.SendGridDetector": "a SendGrid API key",
    "slack.SlackDetector": "a Slack token",
    "square_oauth.SquareOAuthDetector": "a Square secret",
    "stripe.StripeDetector": "a Stripe API key",
}
# Matches every value that a detector may find: loading the library takes 0.15 s, which most values can avoid.
_CANDIDATE = re.compile(r"://[^/\s]*@|PRIVATE KEY|hooks\.slack\.com|[\w-]{20}")


def is_secret_name(name: str) -> bool:
    """Return whether a name belongs to a secret: `DB_PASSWORD`, but not `DB_PASSWORD_FILE`."""
    return _NAME.fullmatch(name) is not None


def is_literal(name: str, value: str) -> bool:
    """Return whether the value of a secret is the secret itself, not a reference to it."""
    if any(form.fullmatch(value) for form in (_REFERENCE, _TEMPLATE, _WORD)):
        return False
    return not value.isdigit() or _PASSWORD.fullmatch(name) is not None


def is_placeholder(value: str) -> bool:
    """Return whether a value is a placeholder for one that is set by hand."""
    return _PLACEHOLDER.fullmatch(value) is not None


def find_kind(value: str) -> str | None:
    """Return the kind of secret that a value contains, by its format; None if it contains no secret."""
    if not _CANDIDATE.search(value):
        return None
    for kind, detector in _detectors().items():
        if any(
            not (is_placeholder(secret) or _TEMPLATE.fullmatch(secret))
            for secret in detector.analyze_string(value)
        ):
            return kind
    return None


@cache
def _detectors() -> "Mapping[str, BasePlugin]":
    detectors = {}
    for place, kind in _DETECTORS.items():
        module, name = place.split(".")
        detectors[kind] = getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
    return detectors


def kind_by_name(name: str, value: Value) -> str | Unknown | None:
    """Return the kind of secret in a value, judging by its name.

    Returns:
        The kind; the value itself if it is unknown; None if it is not a secret.
    """
    if not is_secret_name(name):
        return None
    if isinstance(value, Unknown):
        part = value.reference.rpartition(".")[2]
        return "a secret" if part in _SECRET_PARTS else None if part and part != value.reference else value
    return "a secret" if isinstance(value, str) and is_literal(name, value) else None


_ASSIGNED = re.compile(r"(?<![\w.-])-{0,2}([A-Za-z][\w.-]*)=([^\s'\"]+)")


def find_in_command(words: Sequence[Value]) -> Iterator[tuple[int, str]]:
    """Yield the secrets in the words of a command, with their index.

    They are found by format, in `--password=x` or after `--password`.
    """
    previous = ""
    for index, word in enumerate(words):
        text = word if isinstance(word, str) else ""
        is_assigned = any(
            is_secret_name(name) and is_literal(name, value) for name, value in _ASSIGNED.findall(text)
        )
        flag = previous.lstrip("-")
        follows_flag = (
            previous.startswith("--")
            and is_secret_name(flag)
            and not text.startswith("-")
            and is_literal(flag, text)
        )
        if kind := find_kind(text) or ("a secret" if is_assigned or follows_flag else None):
            yield index, kind
        previous = text
