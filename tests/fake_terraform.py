"""A fake Terraform for tests of what drives Terraform.

The fake is a small shell script that writes down its calls and does what the test asked for. It answers in a
few milliseconds. What it has no answer for (`fmt`, `validate`, `providers`) is done by the real Terraform.

In a test, take the fixture `fake_terraform`, which has the fake on PATH:

    def test_an_apply_that_fails_ends_before_the_next_stack(tiny_project: Project, fake_terraform:
    FakeTerraform):
        fake_terraform.plan(add=1)
        fake_terraform.fail("apply", "Error: no such thing", stack="foundation")
        with pytest.raises(ProgramError):
            stacks.apply(tiny_project, "tiny", ...)
        assert fake_terraform.calls() == ["foundation init", "foundation plan foundation.tfplan", ...]

Elsewhere, as in a script that records a terminal, install it into a folder and put that folder on PATH:

    fake = FakeTerraform.install(folder / "bin", installation.find_program())
    fake.plan(add=3, text="...")
    fake.run("apply", 'sleep 60', stack="services")  # any shell code
    environment = {**os.environ, "PATH": f"{fake.folder}:{os.environ['PATH']}"}

Answers can be changed at any time, between two tasks too. An answer for one stack goes before one for all
stacks. Untouched, `init` succeeds, `plan` finds no changes, `apply` reports one resource added.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

DRIVEN = ("init", "plan", "apply")
"""The commands that `calls` returns unless it is asked for others."""

APPLIED = "Apply complete! Resources: 1 added, 0 changed, 0 destroyed."

# The answer is shell code; `$stack` and `$plan` are the stack's folder name and the plan file that is asked
# for.
_SCRIPT = """#!/bin/sh
printf '%s %s\\n' "${{TF_DATA_DIR:--}}" "$*" >>"$0.calls"
stack= command=$1 plan=
case "$1" in -chdir=*) stack=${{1##*/}} command=$2 ;; esac
for argument in "$@"; do case "$argument" in -out=*) plan=${{argument#-out=}} ;; esac; done
case "$*" in *" -target="*) [ -e "$0.answers/plan-targeted.$stack" ] && command=plan-targeted ;; esac
for answer in "$0.answers/$command.$stack" "$0.answers/$command"; do
  if [ -e "$answer" ]; then . "$answer"; exit; fi
done
exec {terraform} "$@"
"""

_INSTALLATION = """mkdir -p "$TF_DATA_DIR/modules"
echo '{}' >"$TF_DATA_DIR/modules/modules.json"
echo '{}' >"$TF_DATA_DIR/terraform.tfstate"
folder=$1; : >"${folder#-chdir=}/.terraform.lock.hcl"
"""


@dataclass(frozen=True)
class Call:
    """One call of Terraform.

    Attributes:
        stack: Name of the stack's folder; empty for a call that is about no stack.
        command: `plan`, `state`, ...
        arguments: What follows the command.
        data_folder: TF_DATA_DIR; `-` where it is not set.
    """

    stack: str
    command: str
    arguments: tuple[str, ...]
    data_folder: str

    @classmethod
    def read(cls, line: str) -> Self:
        """Read a line of the log."""
        data_folder, *words = line.split()
        stack = words.pop(0).rsplit("/", maxsplit=1)[-1] if words[0].startswith("-chdir=") else ""
        return cls(stack, words[0], tuple(words[1:]), data_folder)

    def __str__(self) -> str:
        """Return stack, command, plan file, and `-destroy` or the number of targets.

        Such as `web plan web.tfplan -destroy`.
        """
        names = [word.rsplit("/", maxsplit=1)[-1] for word in self.arguments]
        shown = [name for name in names if name == "-destroy" or name.endswith(".tfplan")]
        targets = len(self.targets)
        shown += [f"-target={targets}"] if targets else []
        return " ".join([*([self.stack] if self.stack else []), self.command, *shown])

    @property
    def targets(self) -> list[str]:
        """The addresses that a plan is limited to."""
        flag = "-target="
        return [word.removeprefix(flag) for word in self.arguments if word.startswith(flag)]


@dataclass(frozen=True)
class FakeTerraform:
    """A program `terraform` that does what a test asks for.

    Attributes:
        folder: Folder of the program, to be put on PATH.
    """

    folder: Path

    @classmethod
    def install(cls, folder: Path, terraform: str) -> Self:
        """Write the program into a folder.

        Args:
            folder: Made if it does not exist.
            terraform: Path of the real Terraform.
        """
        fake = cls(folder)
        fake._answers.mkdir(parents=True)
        fake.program.write_text(_SCRIPT.format(terraform=shlex.quote(terraform)), encoding="utf-8")
        fake.program.chmod(0o755)
        fake.answer("init")
        fake.no_changes()
        fake.answer("apply", APPLIED)
        return fake

    @property
    def program(self) -> Path:
        """The program."""
        return self.folder / "terraform"

    @property
    def _answers(self) -> Path:
        return self.folder / "terraform.answers"

    @property
    def _log(self) -> Path:
        return self.folder / "terraform.calls"

    def run(self, command: str, shell: str, *, stack: str = "") -> None:
        """Run shell code as the answer to a command; `$stack` and `$plan` are set."""
        name = f"{command}.{stack}" if stack else command
        waiting = self._answers / f"{name}.new"
        waiting.write_text(f"{shell}\n", encoding="utf-8")
        waiting.rename(self._answers / name)

    def answer(self, command: str, text: str = "", *, code: int = 0, stack: str = "") -> None:
        """Print a text, and a line's end unless it has one, and end with an exit code."""
        self.run(command, f"{_printed(text)}\nexit {code}", stack=stack)

    def plan(  # noqa: PLR0913 - a plan has three counts
        self,
        *,
        add: int = 0,
        change: int = 0,
        destroy: int = 0,
        text: str = "",
        outputs: str = "",
        stack: str = "",
    ) -> None:
        """Find changes, and write the plan file.

        Args:
            add: Resources to add.
            change: Resources to change.
            destroy: Resources to destroy.
            text: Printed before the counts.
            outputs: Printed after the counts: the changes to outputs.
            stack: The stack that has them; empty for all.
        """
        counts = f"Plan: {add} to add, {change} to change, {destroy} to destroy."
        self._plan("\n".join(part for part in (text, counts, outputs) if part), 2, stack)

    def additions(self, text: str, *, stack: str) -> None:
        """Answer a plan that is limited to targets, and leave other plans as they are."""
        self.run("plan-targeted", f'[ -n "$plan" ] && : >"$plan"\n{_printed(text)}\nexit 2', stack=stack)

    def no_changes(self, *, stack: str = "") -> None:
        """Find no changes, and write the plan file."""
        self._plan("", 0, stack)

    def fail(self, command: str, error: str, *, stack: str = "") -> None:
        """Print an error and fail with exit code 1; a plan file is written all the same."""
        if command == "plan":
            self._plan(error, 1, stack)
        else:
            self.answer(command, error, code=1, stack=stack)

    def show(self, plan: str, *, stack: str = "") -> None:
        """Return a plan in JSON from `show`."""
        self.answer("show", plan, stack=stack)

    def output(self, outputs: Mapping[str, object], *, stack: str = "") -> None:
        """Return an output's value, or outputs, in JSON from `output`."""
        self.answer("output", json.dumps(outputs), stack=stack)

    def version(self, version: str) -> None:
        """Have a version."""
        self.answer("version", json.dumps({"terraform_version": version}))

    def install_on_init(self) -> None:
        """Leave on `init` what a real one leaves, so that no second one is needed."""
        self.run("init", _INSTALLATION)

    def refuse_once(self, command: str, error: str) -> None:
        """Fail the first time that a command is given, and succeed from then on."""
        refused = shlex.quote(str(self._answers / f"{command}.refused"))
        self.run(command, f"[ -e {refused} ] && exit 0\n: >{refused}\n{_printed(error)} >&2\nexit 1")

    def reset(self, command: str, *, stack: str) -> None:
        """Answer a command for a stack as for all others again."""
        (self._answers / f"{command}.{stack}").unlink()

    def all_calls(self) -> list[Call]:
        """Return every call so far, in order."""
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        return [Call.read(line) for line in lines]

    def calls(self, *commands: str) -> list[str]:
        """Return the calls of some commands, by default of `init`, `plan` and `apply`.

        `web plan web.tfplan`.
        """
        return [str(call) for call in self.all_calls() if call.command in (commands or DRIVEN)]

    def applied(self) -> list[str]:
        """Return the stacks that an apply was tried for, sorted: parallel ones have no certain order."""
        return sorted(call.stack for call in self.all_calls() if call.command == "apply")

    def forget(self) -> None:
        """Forget the calls so far."""
        self._log.unlink(missing_ok=True)

    def _plan(self, text: str, code: int, stack: str) -> None:
        self.run("plan", f'[ -n "$plan" ] && : >"$plan"\n{_printed(text)}\nexit {code}', stack=stack)


def _printed(text: str) -> str:
    return f"printf '%s\\n' {shlex.quote(text.removesuffix(chr(10)))}" if text else ":"
