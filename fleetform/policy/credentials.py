"""What looks like a secret: names by their ends, values by the forms that issuers give them.

The forms are those of detect-secrets, less what finds names, addresses and IDs: https://github.com/Yelp/detect-secrets
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from fleetform.policy.values import Known, Unknown

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

# At the end: SECRET_ARN, TOKEN_URL or PASSWORD_FILE say where something is.
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
# What a program puts something else into: a variable of a shell, a field of a template.
_TEMPLATE = re.compile(r".*(\$\{?[A-Za-z(]|\{\{|<[\w .-]+>|%\(?\w+\)?[%s]|\{\w+\}).*", re.DOTALL)
# Where to find something: a path, an ARN, an address, the name of a secret.
_ELSEWHERE = re.compile(r"\s*|[/~.].*|arn:.*|[a-z][a-z0-9+-]*://[^@]*|[a-z0-9_.-]+(/[a-z0-9_.-]+)+", re.DOTALL)
_WORD = re.compile(
    r"true|false|yes|no|on|off|none|null|nil|enabled|disabled|optional|required|auto|default", re.IGNORECASE
)
_PLACEHOLDER = re.compile(
    r"""\W*|x+|todo|tbd|temp|initial|unset
        |.*(change|replace|fill)[ _-]?(me|this|it|in).*|.*(example|placeholder|dummy|redacted).*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# Of what AWS or Terraform makes: the parts that are secrets, and those that say where it is.
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
# What all that they find has. The library takes 0.15 s to load, most values need not wait for it.
_WORTH_A_LOOK = re.compile(r"://[^/\s]*@|PRIVATE KEY|hooks\.slack\.com|[\w-]{20}")


def names_a_secret(name: str) -> bool:
    """Whether what has this name is a secret: `DB_PASSWORD`, but not `DB_PASSWORD_FILE`."""
    return _NAME.fullmatch(name) is not None


def is_spelled_out(name: str, value: str) -> bool:
    """Whether the value of something secret is itself there, and not where to find it."""
    if any(form.fullmatch(value) for form in (_ELSEWHERE, _TEMPLATE, _WORD)):
        return False
    return not value.isdigit() or _PASSWORD.fullmatch(name) is not None


def is_placeholder(value: str) -> bool:
    """Whether a value stands for another one that somebody puts there by hand."""
    return _PLACEHOLDER.fullmatch(value) is not None


def kind_of(value: str) -> str | None:
    """What a value holds that is a secret by its form; None if there is nothing."""
    if not _WORTH_A_LOOK.search(value):
        return None
    for kind, detector in _detectors().items():
        if any(not (is_placeholder(found) or _TEMPLATE.fullmatch(found)) for found in detector.analyze_string(value)):
            return kind
    return None


@cache
def _detectors() -> "Mapping[str, BasePlugin]":
    from importlib import import_module  # noqa: PLC0415 - only what is worth a look waits for the library

    found = {}
    for place, kind in _DETECTORS.items():
        module, name = place.split(".")
        found[kind] = getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
    return found


def told_by_name(name: str, value: Known) -> str | Unknown | None:
    """What is wrong with the value of a name, if it names a secret.

    Returns:
        What it is; the value itself if nobody knows; None if nothing is wrong.
    """
    if not names_a_secret(name):
        return None
    if isinstance(value, Unknown):
        part = value.reference.rpartition(".")[2]
        return "a secret" if part in _SECRET_PARTS else None if part and part != value.reference else value
    return "a secret" if isinstance(value, str) and is_spelled_out(name, value) else None


_ASSIGNED = re.compile(r"(?<![\w.-])-{0,2}([A-Za-z][\w.-]*)=([^\s'\"]+)")


def in_words(words: Sequence[Known]) -> Iterator[tuple[int, str]]:
    """Secrets in the words of a command: by their form, as `--password=x`, or after `--password`; with the index."""
    before = ""
    for index, word in enumerate(words):
        text = word if isinstance(word, str) else ""
        named = any(names_a_secret(name) and is_spelled_out(name, value) for name, value in _ASSIGNED.findall(text))
        flag = before.lstrip("-")
        after = (
            before.startswith("--") and names_a_secret(flag) and not text.startswith("-") and is_spelled_out(flag, text)
        )
        if kind := kind_of(text) or ("a secret" if named or after else None):
            yield index, kind
        before = text
