"""Variables of the process environment that would change the meaning of a run are refused by name."""

from pathlib import Path

import pytest

from fleetform.base.errors import InputError
from fleetform.terraform.process_environment import (
    require_default_workspace,
    require_neutral,
    without_arguments,
)


def refusal(variables: dict[str, str], folder: Path | None = None) -> str:
    with pytest.raises(InputError) as caught:
        require_neutral(variables, folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "effect"),
    [
        (
            "TF_WORKSPACE",
            "foo",
            "Terraform would use another state, and create the environment a second time",
        ),
        ("TF_CLI_ARGS", "-target=aws_vpc.a", "Terraform would add `-target=aws_vpc.a` to its arguments"),
        ("TF_CLI_ARGS_plan", "-refresh=false", "Terraform would add `-refresh=false` to its arguments"),
        ("TF_CLI_ARGS_init", "-upgrade", "Terraform would add `-upgrade` to its arguments"),
        (
            "TF_CLI_ARGS_apply",
            "-parallelism=1 'a",
            "Terraform would add `-parallelism=1 'a` to its arguments",
        ),
        ("TF_REATTACH_PROVIDERS", "{}", "Terraform would use a provider that another process runs"),
        ("TF_SKIP_PROVIDER_VERIFY", "1", "Terraform would run providers that differ from the lock file"),
        ("TF_ENCRYPTION", "{}", "OpenTofu would encrypt states and plans, which Fleetform could not read"),
        ("TF_AWS_DEFAULT_TAGS_team", "a", "the provider would change the tags of every resource"),
        ("TF_AWS_IGNORE_TAGS_KEYS", "team", "the provider would leave tags as they are"),
    ],
)
def test_a_variable_that_changes_a_run_is_refused_with_its_effect(name: str, value: str, effect: str) -> None:
    assert refusal({name: value}) == (
        f"{name} is set: {effect}\nnothing was run; run `unset {name}`, then try again"
    )


def test_all_variables_are_named_at_once() -> None:
    assert refusal({"TF_WORKSPACE": "foo", "TF_CLI_ARGS_plan": "-refresh=false"}) == (
        "TF_CLI_ARGS_plan is set: Terraform would add `-refresh=false` to its arguments\n"
        "TF_WORKSPACE is set: Terraform would use another state, and create the environment a second time\n"
        "nothing was run; run `unset TF_CLI_ARGS_plan TF_WORKSPACE`, then try again"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TF_WORKSPACE", ""),
        ("TF_WORKSPACE", "default"),
        ("TF_CLI_ARGS", "-no-color"),
        ("TF_CLI_ARGS_apply", "-parallelism=30 -lock-timeout=5m"),
        ("TF_DATA_DIR", "elsewhere"),
        ("TF_LOG", "debug"),
        ("TF_LOG_PATH", "log"),
        ("TF_INPUT", "1"),
        ("TF_PLUGIN_CACHE_DIR", "cache"),
        ("TF_CLI_CONFIG_FILE", "terraform.rc"),
        ("TF_APPEND_USER_AGENT", "us"),
        ("TF_TOKEN_app_terraform_io", "secret"),
        ("TF_VAR_of_another_project", "1"),
    ],
)
def test_a_variable_that_changes_nothing_of_a_run_is_allowed(name: str, value: str, tmp_path: Path) -> None:
    require_neutral({name: value}, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An environment whose stack assigns one of its two variables."""
    stack = tmp_path / "services"
    stack.mkdir()
    (stack / "variables.tf").write_text('variable "name" {\n}\n\nvariable "size" {\n  default = 1\n}\n')
    (stack / "terraform.tfvars").write_text('name = "shop"\n')
    return tmp_path


def test_a_variable_that_no_file_assigns_is_refused(folder: Path) -> None:
    assert refusal({"TF_VAR_size": "2"}, folder) == (
        "TF_VAR_size is set: it would set the variable `size` of a stack\n"
        "nothing was run; run `unset TF_VAR_size`, then try again"
    )


def test_a_variable_that_a_file_assigns_takes_no_value_from_the_process_environment(folder: Path) -> None:
    require_neutral({"TF_VAR_name": "other"}, folder)


def test_a_selected_workspace_is_refused_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text("foo")
    with pytest.raises(InputError) as caught:
        require_default_workspace([tmp_path])
    assert str(caught.value) == (
        f"{file} selects the workspace `foo`, which has another state; nothing was run; run `rm {file}`,"
        " then try again"
    )


@pytest.mark.parametrize("text", [None, "default", ""])
def test_the_default_workspace_is_allowed(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "environment").write_text(text)
    require_default_workspace([tmp_path])


def test_formatting_ignores_additional_arguments() -> None:
    variables = {"TF_CLI_ARGS": "-x", "TF_CLI_ARGS_fmt": "-diff", "TF_LOG": "debug"}
    assert without_arguments(variables) == {"TF_LOG": "debug"}
