"""What a change touches, in real repositories."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import tasks
from benchmarks.large_project import Project as LargeProject
from benchmarks.large_project import Shape
from fleetform.base.errors import CatalogError, InputError
from fleetform.cli import affected as console
from fleetform.workflow.affected.stacks import AffectedStack, affected
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from tests import small_project
from tests.commits import git
from tests.small_project import ROOT, edit, write

ECS_SERVICE = "modules/ecs_service"
LOCK = """orders:
  tag: one
  digest: sha256:{digit}{zeros}
  platforms: [linux/amd64]
  commit: ""
  content_key: {digit}{zeros}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with modules and templates of its own, committed."""
    root = tmp_path / "project"
    root.mkdir()
    made = small_project.make(root)
    for name in ("modules", "templates"):
        (root / name).unlink()
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(".terraform*"))
    write(made, ".gitignore", ".fleetform/\n")
    git(root, "init", "--quiet")
    commit(made)
    return made


def commit(project: Project) -> str:
    """Commits all that is there."""
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "as it is")
    return git(project.root, "rev-parse", "HEAD")


def stacks(project: Project, reference: str = "HEAD", env: str = "tiny") -> tuple[AffectedStack, ...]:
    """The affected stacks."""
    return affected(project, env, reference).stacks


def changed(name: str, services: tuple[str, ...], *why: str) -> AffectedStack:
    """A stack that is another."""
    return AffectedStack(name, "changed", services, why)


def own(service: str, change: str = "changed") -> str:
    """What is said of a service's file."""
    return f"envs/tiny/services/service_{service}.tf {change}"


def test_a_tree_as_it_was_committed_touches_nothing(project: Project) -> None:
    assert stacks(project) == ()


def test_a_service_that_is_changed_and_not_even_rendered_touches_itself(project: Project) -> None:
    edit(project, "envs/catalog.yaml", "port: 80\n", "port: 80\n    cpu: 1024\n    memory: 2048\n")
    assert stacks(project) == (changed("services", ("web",), own("web")),)


def test_a_commit_is_compared_with_the_work_tree(project: Project) -> None:
    first = git(project.root, "rev-parse", "HEAD")
    edit(project, "envs/catalog.yaml", "port: 80\n", "port: 80\n    cpu: 1024\n    memory: 2048\n")
    files.render_environment(project, "tiny")
    commit(project)
    assert stacks(project) == ()
    assert stacks(project, first) == stacks(project, "HEAD~1") == (changed("services", ("web",), own("web")),)


def test_another_port_touches_the_caller_and_the_ways_between(project: Project) -> None:
    edit(project, "envs/catalog.yaml", "8080", "8081")
    assert stacks(project) == (
        changed("foundation", (), "envs/tiny/foundation/security.tf changed"),
        changed("services", ("orders", "web"), own("orders"), own("web")),
    )


def test_the_same_catalog_in_other_words_touches_nothing(project: Project) -> None:
    edit(project, "envs/catalog.yaml", "region: eu-central-1\n", "# Frankfurt\n")
    edit(project, "envs/tiny/environment.yaml", "log_", "region: eu-central-1\nlog_")
    edit(project, "envs/local/environment.yaml", "emulator", "region: eu-central-1\nemulator")
    assert stacks(project) == ()


def test_a_module_touches_the_services_that_call_it(project: Project) -> None:
    write(project, f"{ECS_SERVICE}/more.tf", "# nothing\n")
    write(project, f"{ECS_SERVICE}/README.md", "nothing\n")
    write(project, f"{ECS_SERVICE}/examples/basic/main.tf", "# nothing\n")
    why = f"{ECS_SERVICE}/more.tf added"
    assert stacks(project) == (changed("services", ("orders", "web"), why),)


def test_what_a_module_has_beside_its_code_counts(project: Project) -> None:
    write(project, f"{ECS_SERVICE}/policies/task.json", "{}")
    why = f"{ECS_SERVICE}/policies is newly called"
    assert stacks(project) == (changed("services", ("orders", "web"), why),)


def test_what_the_foundation_keeps_to_itself_touches_no_other_stack(project: Project) -> None:
    write(project, "modules/security/more.tf", "# nothing\n")
    assert stacks(project) == (changed("foundation", (), "modules/security/more.tf added"),)


def test_an_output_of_a_module_affects_the_stacks_that_read_it(project: Project) -> None:
    path = "modules/cluster/outputs.tf"
    edit(project, path, "aws_ecs_cluster.this.arn", "upper(aws_ecs_cluster.this.arn)")
    assert stacks(project) == (
        changed("foundation", (), f"{path} changed"),
        changed("services", ("orders", "web"), "foundation changes its output cluster_arn"),
    )


def test_an_output_of_the_foundation_affects_the_stacks_that_read_it(project: Project) -> None:
    edit(
        project, "templates/foundation/outputs.tf.j2", "module.security.group_ids[{{ group }}]", "{{ group }}"
    )
    reads = [f'foundation changes its output security_group_ids["{name}"]' for name in ("orders", "web")]
    assert stacks(project) == (
        changed("foundation", (), "envs/tiny/foundation/outputs.tf changed"),
        changed("services", ("orders", "web"), *reads),
    )


def test_an_output_that_moved_in_its_file_affects_no_other_stack(project: Project) -> None:
    edit(project, "modules/security/outputs.tf", 'output "', '# moved\n\noutput "')
    assert stacks(project) == (changed("foundation", (), "modules/security/outputs.tf changed"),)


def test_a_new_service_touches_none_of_the_others(project: Project) -> None:
    write(
        project,
        "envs/catalog.yaml",
        f"{small_project.CATALOG}  mail:\n    image: nginx:1.29\n    group: post\n",
    )
    foundation = ("dashboard", "outputs", "security", "registry")
    found = stacks(project)
    assert [(stack.name, stack.change, stack.services) for stack in found] == [
        ("foundation", "changed", ()),
        ("post", "added", ("mail",)),
    ]
    assert set(found[0].why) <= {f"envs/tiny/foundation/{name}.tf changed" for name in foundation}
    assert found[1].why == ("the stack was added",)


def test_a_deleted_service_is_named(project: Project) -> None:
    edit(
        project,
        "envs/catalog.yaml",
        "    calls: [orders]\n  orders:\n    image: nginx:1.29\n    port: 8080\n",
        "",
    )
    (services,) = (stack for stack in stacks(project) if stack.name == "services")
    shared = [f"envs/tiny/services/{name}.tf changed" for name in ("moved", "outputs")]
    assert services == changed("services", ("orders", "web"), *shared, own("orders", "removed"), own("web"))


def test_a_renamed_service_is_named_as_it_was_and_as_it_is(project: Project) -> None:
    edit(project, "envs/catalog.yaml", "  orders:\n", "  sales:\n    renamed_from: [orders]\n")
    edit(project, "envs/catalog.yaml", "calls: [orders]", "calls: [sales]")
    files.render_environment(project, "tiny")
    (services,) = (stack for stack in stacks(project) if stack.name == "services")
    assert services.services == ("orders", "sales", "web")


def test_an_emptied_group_is_affected_until_its_folder_is_deleted(project: Project) -> None:
    edit(project, "envs/catalog.yaml", "port: 8080", "port: 8080\n    group: sales")
    files.render_environment(project, "tiny")
    commit(project)
    edit(project, "envs/catalog.yaml", "\n    group: sales", "")
    files.render_environment(project, "tiny")
    shown = [(stack.name, stack.change, stack.services) for stack in stacks(project)]
    assert shown == [("services", "changed", ("orders",)), ("sales", "changed", ("orders",))]
    shutil.rmtree(project.root / "envs/tiny/sales")
    assert stacks(project)[1] == AffectedStack("sales", "removed", ("orders",), ("the stack was removed",))


def test_hand_written_files_affect_their_stack(project: Project) -> None:
    write(
        project, "envs/tiny/services/alarms.tf", 'module "alarms" {\n  source = "../../../shared/alarms"\n}\n'
    )
    write(project, "shared/alarms/main.tf", "# one\n")
    added = ("envs/tiny/services/alarms.tf added", "shared/alarms is newly called")
    assert stacks(project) == (changed("services", (), *added),)
    commit(project)
    assert stacks(project) == ()
    write(project, "shared/alarms/main.tf", "# two\n")
    assert stacks(project) == (changed("services", (), "shared/alarms/main.tf changed"),)


def test_a_file_in_extra_touches_its_stack(project: Project) -> None:
    write(project, "envs/tiny/foundation/extra/main.tf", "# one\n")
    files.render_environment(project, "tiny")
    commit(project)
    write(project, "envs/tiny/foundation/extra/main.tf", "# two\n")
    assert stacks(project) == (changed("foundation", (), "envs/tiny/foundation/extra/main.tf changed"),)


def test_an_image_that_is_locked_touches_its_service_if_it_is_another(project: Project) -> None:
    edit(
        project,
        "envs/catalog.yaml",
        "    image: nginx:1.29\n    port: 8080",
        "    build: { context: containers }\n    port: 8080",
    )
    write(project, "envs/tiny/images.lock.yaml", LOCK.format(digit="1", zeros="0" * 63))
    commit(project)
    write(project, "envs/tiny/images.lock.yaml", LOCK.format(digit="1", zeros="0" * 63).replace("one", "two"))
    assert stacks(project) == ()
    write(project, "envs/tiny/images.lock.yaml", LOCK.format(digit="2", zeros="0" * 63))
    assert stacks(project) == (changed("services", ("orders",), own("orders")),)


def test_another_bucket_for_the_state_touches_every_stack(project: Project) -> None:
    edit(project, "envs/tiny/environment.yaml", "log_", "state: { bucket: elsewhere }\nlog_")
    foundation, services = (f"envs/tiny/{name}" for name in ("foundation", "services"))
    assert stacks(project) == (
        changed("foundation", (), f"{foundation}/backend.hcl changed"),
        changed("services", (), f"{services}/backend.hcl changed", f"{services}/terraform.tfvars changed"),
    )


def test_all_of_a_new_environment_is_affected(project: Project) -> None:
    since = git(project.root, "rev-parse", "--short=12", "HEAD")
    write(project, "envs/stage/environment.yaml", "log_retention_in_days: 30\n")
    report = affected(project, "stage", "HEAD")
    assert report.notice == f"stage was added after {since}"
    assert report.stacks == (
        AffectedStack("foundation", "added", (), ("the stack was added",)),
        AffectedStack("services", "added", ("orders", "web"), ("the stack was added",)),
    )


def test_all_of_a_deleted_environment_is_affected(project: Project) -> None:
    since = git(project.root, "rev-parse", "--short=12", "HEAD")
    shutil.rmtree(project.root / "envs/tiny")
    report = affected(project, "tiny", "HEAD")
    assert report.notice == (
        f"tiny was removed after {since}; its states may hold resources; check out {since} and run"
        " `invoke destroy` to destroy them"
    )
    assert report.stacks == (
        AffectedStack("foundation", "removed", (), ("the stack was removed",)),
        AffectedStack("services", "removed", ("orders", "web"), ("the stack was removed",)),
    )


def test_an_environment_that_never_was_is_refused(project: Project) -> None:
    with pytest.raises(InputError, match=r"^unknown environment `tin`; did you mean `tiny`\?$"):
        affected(project, "tin", "HEAD")


def test_a_catalog_that_is_wrong_now_is_refused(project: Project) -> None:
    edit(project, "envs/catalog.yaml", "8080", "eighty")
    with pytest.raises(CatalogError):
        affected(project, "tiny", "HEAD")


def with_a_wrong_catalog(project: Project) -> str:
    """A commit whose catalog has a mistake; what is said of it."""
    edit(project, "envs/catalog.yaml", "8080", "eighty")
    commit(project)
    edit(project, "envs/catalog.yaml", "eighty", "8080")
    return (
        "envs/catalog.yaml:13:11: `services.orders.port` is `eighty`; expected a whole number, without quotes"
    )


def with_wrong_templates(project: Project) -> str:
    """A commit whose templates name what this version does not know; what is said of it."""
    edit(project, "templates/services/foundation.tf.j2", "var.state", "{{ bygone }}")
    commit(project)
    edit(project, "templates/services/foundation.tf.j2", "{{ bygone }}", "var.state")
    return "templates/services/foundation.tf.j2:3:1: UndefinedError: 'bygone' is undefined; fix the template"


@pytest.mark.parametrize("spoil", [with_a_wrong_catalog, with_wrong_templates])
def test_everything_counts_where_the_commit_cannot_be_rendered(
    project: Project, spoil: Callable[[Project], str]
) -> None:
    reason = spoil(project)
    why = (
        f"{git(project.root, 'rev-parse', '--short=12', 'HEAD')} cannot be rendered by this version: {reason}"
    )
    report = affected(project, "tiny", "HEAD")
    assert report.stacks == (changed("foundation", (), why), changed("services", ("orders", "web"), why))
    assert report.notice == f"{why}; everything counts as affected"


@pytest.mark.parametrize("reference", ["nowhere", "--all", "HEAD:envs", ""])
def test_an_unknown_commit_is_refused(project: Project, reference: str) -> None:
    with pytest.raises(InputError) as caught:
        affected(project, "tiny", reference)
    assert str(caught.value) == f"no commit `{reference}` in this repository; `git fetch` may bring it"


def test_a_shallow_clone_suggests_to_fetch_the_rest(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = git(project.root, "rev-parse", "HEAD")
    write(project, "notes.txt", "")
    commit(project)
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "--quiet", "--depth=1", f"file://{project.root}", ".")
    with pytest.raises(InputError) as caught:
        affected(Project(clone), "tiny", first)
    assert str(caught.value) == (
        f"no commit `{first}` in this repository; this clone is shallow: `git fetch --unshallow` brings the"
        " rest,"
        " in GitHub Actions `fetch-depth: 0`"
    )


def test_a_folder_without_git_is_reported_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.root.parent))
    shutil.rmtree(project.root / ".git")
    with pytest.raises(InputError) as caught:
        affected(project, "tiny", "HEAD")
    assert str(caught.value) == (
        "this checkout is not a Git repository; without its history nothing earlier is known"
    )


def test_a_project_may_be_a_folder_of_a_repository_whose_index_stays_as_it_is(project: Project) -> None:
    shutil.rmtree(project.root / ".git")
    git(project.root.parent, "init", "--quiet")
    commit(project)
    edit(project, "envs/catalog.yaml", "8080", "8081")
    git(project.root, "add", "envs/catalog.yaml")
    before = git(project.root, "status", "--porcelain")
    assert [stack.name for stack in stacks(project)] == ["foundation", "services"]
    assert git(project.root, "status", "--porcelain") == before


def test_of_300_services_in_six_groups_the_one_that_is_changed_is_reported(tmp_path: Path) -> None:
    large = LargeProject(tmp_path, Shape(300, stack_size=50))
    large.write()
    git(tmp_path, "init", "--quiet")
    commit(Project(tmp_path))
    large.change(1)
    why = "envs/prod/team-05/service_service-0299.tf changed"
    assert stacks(Project(tmp_path), env="prod") == (changed("team-05", ("service-0299",), why),)


def test_people_read_lines(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    since = git(project.root, "rev-parse", "--short=12", "HEAD")
    console.show(project, "tiny", "HEAD", why=True, as_json=False)
    assert capsys.readouterr().out == f"nothing of tiny is affected since {since}\n"
    edit(project, "envs/catalog.yaml", "8080", "8081")
    edit(project, "envs/catalog.yaml", "80\n", "80\n    group: front\n")
    console.show(project, "tiny", "HEAD", why=False, as_json=False)
    assert capsys.readouterr().out == "foundation\nfront (added): web\nservices: orders, web\n"
    edit(project, "envs/catalog.yaml", "    group: front\n", "")
    console.show(project, "tiny", "HEAD", why=True, as_json=False)
    assert capsys.readouterr().out == (
        "foundation\n  envs/tiny/foundation/security.tf changed\n"
        f"services: orders, web\n  {own('orders')}\n  {own('web')}\n"
    )


def test_pipelines_read_json(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, f"{ECS_SERVICE}/more.tf", "# nothing\n")
    console.show(project, "tiny", "HEAD", why=False, as_json=True)
    services = {
        "name": "services",
        "change": "changed",
        "services": ["orders", "web"],
        "why": [f"{ECS_SERVICE}/more.tf added"],
    }
    since = git(project.root, "rev-parse", "HEAD")
    assert json.loads(capsys.readouterr().out) == {"env": "tiny", "since": since, "stacks": [services]}


def test_the_task_takes_the_commit_as_a_word_or_a_flag() -> None:
    arguments = tasks.namespace["affected"].get_arguments()
    assert [argument.names for argument in arguments if argument.positional] == [("changed-since",)]
