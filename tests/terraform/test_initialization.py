"""When `terraform init` runs again in a stack."""

import dataclasses
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fleetform.terraform.initialization import Initialization, is_uninitialized

FILES = {
    "envs/dev/services/versions.tf": 'terraform {\n  required_version = ">= 1.10.0"\n  backend "s3" {}\n}\n',
    "envs/dev/services/service_web.tf": 'module "web" {\n  source = "../../../modules/service"\n\n  cpu ='
    " 256\n}\n",
    "envs/dev/services/backend.hcl": 'bucket = "states"\n',
    "modules/service/main.tf": 'module "role" {\n  source = "../role"\n}\n\nresource "aws_ecs_service"'
    ' "this" {\n}\n',
    "modules/role/main.tf": 'module "far" {\n  source  = "example/far/aws"\n  version = "1.0.0"\n}\n',
    "modules/other/main.tf": 'resource "random_id" "this" {}\n',
    "home/.terraformrc": "",
    "cli.rc": "",
}
LOCK = "envs/dev/services/.terraform.lock.hcl"
PROVIDER = (
    "data/providers/registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64"
    "/terraform-provider-aws_v5.100.0_x5"
)
INIT_FILES = {
    LOCK: 'provider "registry.terraform.io/hashicorp/aws" {\n  version     = "5.100.0"\n}',
    "data/terraform.tfstate": "{}",
    "data/modules/modules.json": "{}",
    PROVIDER: "",
}


class Stack:
    """A stack, and how often it was initialized."""

    def __init__(self, root: Path) -> None:
        self.root = root
        variables = {"HOME": str(root / "home"), "TF_CLI_CONFIG_FILE": str(root / "cli.rc")}
        self.initialization = Initialization(
            b"1.11", root / "envs/dev/services", variables | {"TF_DATA_DIR": str(root / "data")}
        )
        self.count = 0
        self.write(FILES)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace some text in a file."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write({name: text.replace(old, new)})

    def init(self) -> None:
        """Do what Terraform does."""
        self.count += 1
        self.write(INIT_FILES)

    def runs(self) -> bool:
        """Whether init runs now."""
        return self.initialization.ensure(self.init)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """An initialized stack."""
    initialized = Stack(tmp_path)
    initialized.initialization.ensure(initialized.init)
    return initialized


def with_variable(stack: Stack, name: str, value: str) -> None:
    """Set a variable of Terraform's process environment."""
    variables = {**stack.initialization.variables, name: value}
    stack.initialization = dataclasses.replace(stack.initialization, variables=variables)


def with_program(stack: Stack) -> None:
    """Install a different Terraform."""
    stack.initialization = dataclasses.replace(stack.initialization, program=b"1.12")


WEB = "envs/dev/services/service_web.tf"
READ_BY_INIT: Mapping[str, Callable[[Stack], None]] = {
    "program": with_program,
    "cli configuration": lambda stack: stack.write({"cli.rc": "provider_installation {}"}),
    "user's configuration": lambda stack: stack.write({"home/.terraformrc": "provider_installation {}"}),
    "arguments": lambda stack: with_variable(stack, "TF_CLI_ARGS_init", "-upgrade"),
    "backend": lambda stack: stack.write({"envs/dev/services/backend.hcl": 'bucket = "others"\n'}),
    "lock file": lambda stack: stack.edit(LOCK, "{", "{ # by hand"),
    "settings": lambda stack: stack.edit("envs/dev/services/versions.tf", "1.10.0", "1.11.0"),
    "another module": lambda stack: stack.write(
        {"envs/dev/services/b.tf": FILES[WEB].replace("web", "orders")}
    ),
    "one module less": lambda stack: (stack.root / WEB).unlink(),
    "another name": lambda stack: stack.edit(WEB, '"web"', '"site"'),
    "another source": lambda stack: stack.edit(WEB, "service", "role"),
    "version in a module's module": lambda stack: stack.edit("modules/role/main.tf", "1.0.0", "1.1.0"),
    "another provider's resource": lambda stack: stack.write({"modules/role/b.tf": 'data "dns_a" "x" {}'}),
    "provider": lambda stack: stack.write({"envs/dev/services/b.tf": 'provider "dns" {}\n'}),
    "JSON": lambda stack: stack.write({"envs/dev/services/b.tf.json": '{"module": {}}'}),
    "no modules": lambda stack: (stack.root / "data/modules/modules.json").unlink(),
    "no backend": lambda stack: (stack.root / "data/terraform.tfstate").unlink(),
    "no provider": lambda stack: (stack.root / PROVIDER).unlink(),
    "no lock file": lambda stack: (stack.root / LOCK).unlink(),
}  # fmt: skip
NOT_READ_BY_INIT: Mapping[str, Callable[[Stack], None]] = {
    "nothing": lambda _: None,
    "value": lambda stack: stack.edit(WEB, "256", "512"),
    "resource in a module": lambda stack: stack.edit("modules/service/main.tf", "this", "web"),
    "variable": lambda stack: with_variable(stack, "TF_VAR_image", "nginx"),
    "log": lambda stack: with_variable(stack, "TF_LOG", "debug"),
    "prose": lambda stack: stack.write({"modules/service/README.md": "version 2"}),
    "module without a caller": lambda stack: stack.edit("modules/other/main.tf", "random_id", "dns_a"),
    "variables file": lambda stack: stack.write({"envs/dev/services/terraform.tfvars": "cpu = 512"}),
}


def test_a_stack_is_initialized_once(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    assert [stack.runs(), stack.runs(), stack.runs(), stack.count] == [True, False, False, 1]


@pytest.mark.parametrize("change", READ_BY_INIT.values(), ids=READ_BY_INIT)
def test_a_change_that_init_reads_runs_it_again(stack: Stack, change: Callable[[Stack], None]) -> None:
    change(stack)
    assert [stack.runs(), stack.runs()] == [True, False]


@pytest.mark.parametrize("change", NOT_READ_BY_INIT.values(), ids=NOT_READ_BY_INIT)
def test_a_change_that_init_does_not_read_does_not_run_it(
    stack: Stack, change: Callable[[Stack], None]
) -> None:
    change(stack)
    assert not stack.runs()


def test_a_failed_init_runs_again(stack: Stack) -> None:
    stack.edit("envs/dev/services/versions.tf", "1.10.0", "1.11.0")

    def killed() -> None:
        stack.edit(
            "envs/dev/services/versions.tf", "1.11.0", "1.10.0"
        )  # the content at the last successful init
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stack.initialization.ensure(killed)
    assert [stack.runs(), stack.runs()] == [True, False]


def test_a_change_while_init_runs_runs_it_again(stack: Stack) -> None:
    stack.edit("envs/dev/services/versions.tf", "1.10.0", "1.11.0")

    def slow() -> None:
        stack.init()
        stack.edit("envs/dev/services/versions.tf", "1.11.0", "1.12.0")

    stack.initialization.ensure(slow)
    assert [stack.runs(), stack.runs()] == [True, False]


def test_two_concurrent_runs_initialize_once(tmp_path: Path) -> None:
    stack, started, release = Stack(tmp_path), threading.Event(), threading.Event()

    def first() -> None:
        started.set()
        assert release.wait(60)
        stack.init()

    threads = [
        threading.Thread(target=stack.initialization.ensure, args=[act]) for act in (first, stack.init)
    ]
    threads[0].start()
    assert started.wait(60)
    threads[1].start()
    release.set()
    for thread in threads:
        thread.join()
    assert stack.count == 1
    assert stack.runs() is False


def test_modules_that_call_each_other_are_reported_by_init(stack: Stack) -> None:
    stack.edit("modules/role/main.tf", "example/far/aws", "../service")
    assert [stack.runs(), stack.runs()] == [True, False]


class TerraformFolder:
    """Runs Terraform in a folder without starting a provider."""

    def __init__(self, program: str, variables: Mapping[str, str], folder: Path) -> None:
        self._program = program
        self._variables = dict(variables)
        self._folder = folder

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self._folder / name).parent.mkdir(exist_ok=True)
        (self._folder / name).write_text(text, encoding="utf-8")

    def run(self, command: str) -> str:
        """Run a command and return its output."""
        argv = [self._program, f"-chdir={self._folder}", command, "-input=false"]
        completed = subprocess.run(argv, env=self._variables, capture_output=True, text=True, check=False)
        return completed.stdout + completed.stderr


def test_terraforms_own_errors_are_recognized(
    tmp_path: Path, terraform_binary: str, terraform_environment: Mapping[str, str]
) -> None:
    stack = TerraformFolder(terraform_binary, terraform_environment, tmp_path)
    stack.write("part/main.tf", "")
    stack.write("main.tf", 'terraform {\n  backend "local" {}\n}\n')
    outputs = [stack.run("plan"), stack.run("init"), stack.run("plan")]
    stack.write("part.tf", 'module "part" {\n  source = "./part"\n}\n')
    outputs.append(stack.run("plan"))
    stack.write("main.tf", 'terraform {\n  backend "local" { path = "other" }\n}\n')
    outputs.append(stack.run("plan"))
    stack.write(
        "main.tf", 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
    )
    (tmp_path / "part.tf").unlink()
    (tmp_path / ".terraform/terraform.tfstate").unlink()
    outputs.append(stack.run("plan"))
    assert list(map(is_uninitialized, outputs)) == [True, False, False, True, True, True], outputs
