"""The program that messages name."""

import pytest

from fleetform.base.program_name import VARIABLE, command, program


@pytest.mark.parametrize(
    "name", ["invoke", "inv", "fleetform", "./run", "../../run", "/srv/shop-2/run", "shop/run"]
)
def test_the_program_is_the_one_that_the_user_started(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(VARIABLE, name)
    assert program() == name


def test_the_program_is_invoke_if_nothing_else_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert program() == "invoke"


@pytest.mark.parametrize(
    "name", ["", "run", "rm -rf /; ./run", "\033[31m./run", "./run\n", "a" * 200 + "/run", "$(x)/run"]
)
def test_a_name_that_is_not_a_program_of_ours_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    assert program() == "./run"


def test_a_command_has_words_values_and_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "./run")
    found = command("promote", "dev", from_profile="a b", to_="prod", check=True, json=False, out=None)
    assert found == "./run promote dev --from-profile 'a b' --to prod --check"
