"""Added YAML is inserted between existing lines, which do not change."""

import difflib

import pytest

from fleetform.base.errors import InputError
from fleetform.catalog.additions import NewService, copy_environment, insert_service, validate_name

MAIL = NewService("mail", 8080, ("orders", "stock"))
BLOCK = """
  # Describe the service here. All keys: docs/catalog.md
  mail:
    # Built from the Dockerfile in this folder. For an existing image, write `image:` instead.
    build: { context: containers/mail }
    # Callers get its URL in MAIL_URL.
    port: 8080
    # Opens only these connections. Each one adds a variable, such as ORDERS_URL.
    calls: [orders, stock]
"""
WORKER = NewService("worker", image="busybox:1.37")
WORKER_BLOCK = """
  # Describe the service here. All keys: docs/catalog.md
  worker:
    # An existing image. To build it here, write `build: { context: FOLDER }` instead.
    image: busybox:1.37
"""


def added(before: str, after: str) -> str:
    """Return the inserted text; nothing else may differ."""
    found = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    changes = [line for line in found if line[0] in "+-"]
    assert all(line.startswith("+ ") for line in changes)
    return "".join(line[2:] for line in changes)


def test_a_new_service_has_its_settings_with_comments() -> None:
    assert (
        insert_service("services:\n  web: { port: 80 }\n", MAIL) == "services:\n  web: { port: 80 }\n" + BLOCK
    )


def test_a_worker_from_an_image_has_neither_port_nor_calls() -> None:
    assert insert_service("services:\n  web: {}\n", WORKER) == "services:\n  web: {}\n" + WORKER_BLOCK


@pytest.mark.parametrize(
    ("image", "written"),
    [("nginx:1.29", "nginx:1.29"), ("1.10", "1.10"), ("7", '"7"'), ("a:", '"a:"'), ("x\n", '"x\\n"')],
)
def test_an_image_is_quoted_if_yaml_would_read_it_as_something_else(image: str, written: str) -> None:
    after = insert_service("services:\n  web: {}\n", NewService("worker", image=image))
    assert after.endswith(f"\n    image: {written}\n")


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("services:\n  web:\n    port: 80\n", ""),
        ("services:\n  web:\n    port: 80\n", "\nstate: { bucket: some-bucket }\n"),
        ("services:\n  web:\n    port: 80\n", "state: {}\n"),
        ("services:\n  web:\n    port: 80\n", "\n# Where the state is.\nstate: {}\n"),
        ("services:\n  web:\n    port: 80\n    # cpu: 512\n", "\n# The end.\n"),
        ("services:\n  web:\n    port: 80\n\n  # orders:\n  #   port: 8080\n", "\n"),
        ("services: # all of them\n  web: { port: 80,\n    calls: [] } # for now\n", "...\n"),
        ("services:\n  web:\n    environment:\n      TEXT: |\n        one\n        # two\n", "\ntags: {}\n"),
        ("a: &a { port: 80 }\nservices:\n  web: *a\n", "\ntags: {}\n"),
        ('services:\n  "web":\n    build: { context: x }   # kept\n', ""),
    ],
)
def test_a_service_follows_the_last_one_and_nothing_else_changes(above: str, below: str) -> None:
    assert insert_service(above + below, MAIL) == above + BLOCK + below


def test_a_service_is_indented_like_the_others() -> None:
    before = "services:\n    web:\n        port: 80\n"
    indented = "".join("  " + line if line.strip() else line for line in BLOCK.splitlines(keepends=True))
    assert added(before, insert_service(before, MAIL)) == indented


def test_added_lines_use_the_files_line_endings() -> None:
    before = "services:\r\n  web: {}\r\n"
    assert insert_service(before, WORKER) == before + WORKER_BLOCK.replace("\n", "\r\n")


def test_a_last_line_without_a_line_break_gets_one() -> None:
    assert insert_service("services:\n  web: {}", WORKER) == "services:\n  web: {}\n" + WORKER_BLOCK


def test_a_byte_order_mark_stays() -> None:
    assert (
        insert_service("\ufeffservices:\n  web: {}\n", WORKER)
        == "\ufeffservices:\n  web: {}\n" + WORKER_BLOCK
    )


@pytest.mark.parametrize(
    "text", ["", "services:\n", "services: { web: {} }\n", "services: []\n", "tags: {}\n"]
)
def test_services_in_flow_style_are_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        insert_service(text, MAIL)
    message = "envs/catalog.yaml: no `services:` in block style; write the first service by hand"
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["Mail", "mail_", "-mail", "a--b", "../mail", "", "m" * 41, "mail\n"])
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        validate_name(name)
    expected = "expected lower-case letters, digits and single hyphens, at most 40"
    assert str(caught.value) == f"`{name}` is not a valid name: {expected}"


HEAD = """# yaml-language-server: $schema=../catalog.schema.json
# staging, copied from dev. Describe here what it is for and how it differs.
"""


def test_an_environment_keeps_the_originals_comments_and_layout() -> None:
    text = "# Development.\n\nsecurity:   shared # for now\n\n# Kept short.\nlog_retention_in_days: 30\n"
    copied = copy_environment(text, "dev", "staging")
    assert copied.text == HEAD + text
    assert copied.omitted_keys == ()


def test_the_schema_line_for_editors_occurs_once() -> None:
    line = HEAD.splitlines(keepends=True)[0]
    assert copy_environment(line + "security: shared\n", "dev", "staging").text == HEAD + "security: shared\n"


def test_an_environment_omits_the_keys_that_identify_the_original() -> None:
    text = """# Development.

# Older than the convention.
name_prefix: old-dev # see the wiki
security: shared

# Where the state is.
state:
  bucket: old-dev-state
  # since 2019

# Tags.
tags: {}
namespace: dev.example.internal
"""
    copied = copy_environment(text, "dev", "staging")
    copied_text = "# Development.\n\nsecurity: shared\n\n# Tags.\ntags: {}\n"
    comment = "# Not copied, because they identify dev: name_prefix, namespace, state.\n"
    assert copied.text == HEAD + comment + copied_text
    assert copied.omitted_keys == ("name_prefix", "namespace", "state")


def test_an_empty_environment_can_be_copied() -> None:
    assert copy_environment("# Nothing.\n", "dev", "staging").text == HEAD + "# Nothing.\n"


def test_a_key_that_shares_its_line_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        copy_environment("{ security: shared, name_prefix: old-dev }\n", "dev", "staging")
    message = "`name_prefix` shares a line with another key; put each key on its own line"
    assert str(caught.value) == f"envs/dev/environment.yaml:1: {message}"
