from pathlib import Path
from typing import Any

import jinja2
import pytest

from fleetform.base.errors import InputError
from fleetform.catalog.models import Autoscaling, CapacityProvider, HealthCheck, Service
from fleetform.render.template import Templates
from fleetform.topology import VPC, Call, Rule


def render(folder: Path, template: str, **values: object) -> str:
    (folder / "case").mkdir(exist_ok=True)
    (folder / "case" / "file.tf.j2").write_text(template, encoding="utf-8")
    return Templates(folder).render("case/file.tf.j2", values)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ('${x} "y"', r'"$${x} \"y\""'),
        ("{{ value }}", '"{{ value }}"'),
        ("%{if true}", '"%%{if true}"'),
        ("a\nb", r'"a\nb"'),
        (7, "7"),
        (False, "false"),
        (None, "null"),
        (("a", "b"), '["a", "b"]'),
        ({"b": 1, "a-b": 2}, '{\n"a-b" = 2\nb = 1\n}'),
    ],
)
def test_a_value_is_printed_as_a_literal(tmp_path: Path, value: object, printed: str) -> None:
    assert render(tmp_path, "a = {{ value }}\n", value=value) == f"a = {printed}\n"


@pytest.mark.parametrize(("name", "printed"), [("web", "web"), ("for", '"for"'), ("a->b:80", '"a->b:80"')])
def test_a_key_is_quoted_where_it_must_be(tmp_path: Path, name: str, printed: str) -> None:
    assert render(tmp_path, "{{ name | key }} = 1\n", name=name) == f"{printed} = 1\n"


@pytest.mark.parametrize("name", ["web", "order-api", "dev.shop.internal", "_x", "1a"])
def test_a_word_is_printed_bare(tmp_path: Path, name: str) -> None:
    assert render(tmp_path, 'a = "{{ name | word }}"\n', name=name) == f'a = "{name}"\n'


@pytest.mark.parametrize("name", ["", "a b", "${x}", 'a"', "a\n", "-a", ".a", "é", "a/b", "a:b"])
def test_an_invalid_name_is_not_a_word(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"ValueError: not a name: "):
        render(tmp_path, 'a = "{{ name | word }}"\n', name=name)


@pytest.mark.parametrize(
    "template",
    ["{{ missing }}", "{{ given.missing }}", "{% if missing %}x{% endif %}"],
)
def test_what_is_not_defined_is_an_error(tmp_path: Path, template: str) -> None:
    with pytest.raises(InputError, match="UndefinedError"):
        render(tmp_path, template, given={})


def test_arguments_are_those_that_differ_from_their_defaults_in_the_order_asked_for(tmp_path: Path) -> None:
    service = Service(image="nginx", cpu=512, memory=512, port=80, command=("run", "${x}"))
    template = '{{ service | arguments("port", "memory", "cpu", "command") }}\n'
    assert render(tmp_path, template, service=service) == 'port = 80\ncpu = 512\ncommand = ["run", "$${x}"]\n'


def test_a_default_that_is_written_out_is_left_out(tmp_path: Path) -> None:
    template = 'module "x" {\n  {{ service | arguments("cpu", "desired_count") }}\n}\n'
    assert (
        render(tmp_path, template, service=Service(image="nginx", cpu=256, desired_count=1))
        == 'module "x" {}\n'
    )


def test_arguments_may_have_a_prefix(tmp_path: Path) -> None:
    template = '{{ service | arguments("cpu", "memory", prefix="task_") }}\n'
    assert render(tmp_path, template, service=Service(image="nginx", cpu=512)) == "task_cpu = 512\n"


def test_a_nested_entry_has_only_what_differs_from_its_defaults(tmp_path: Path) -> None:
    service = Service(image="nginx", autoscaling=Autoscaling(min=1, max=3, cpu=60))
    assert render(tmp_path, '{{ service | arguments("autoscaling") }}\n', service=service) == (
        "autoscaling = {\nmin = 1\nmax = 3\n}\n"
    )


def test_a_health_check_runs_without_a_shell_and_keeps_its_path_to_itself(tmp_path: Path) -> None:
    service = Service(
        image="nginx", health_check=HealthCheck(command=("check", "$(x)"), retries=5, path="/healthz")
    )
    assert render(tmp_path, '{{ service | arguments("health_check") }}\n', service=service) == (
        'health_check = {\ncommand = ["CMD", "check", "$(x)"]\nretries = 5\n}\n'
    )


def test_a_health_check_without_a_command_asks_for_its_path(tmp_path: Path) -> None:
    service = Service(image="nginx", port=8080, health_check=HealthCheck(path="/it's?a=$(x)"))
    url = r"""'http://127.0.0.1:8080/it'\"'\"'s?a=$(x)'"""
    command = f"curl -fsS -o /dev/null {url} || wget -q -O /dev/null {url} || exit 1"
    assert render(tmp_path, '{{ service | arguments("health_check") }}\n', service=service) == (
        f'health_check = {{\ncommand = [\n"CMD-SHELL",\n"{command}",\n]\n}}\n'
    )


def test_entries_by_name_have_only_what_differs_from_their_defaults(tmp_path: Path) -> None:
    spot = {"FARGATE": CapacityProvider(weight=1, base=2), "FARGATE_SPOT": CapacityProvider(weight=3, base=0)}
    service = Service(image="nginx", capacity_providers=spot)
    assert render(tmp_path, '{{ service | arguments("capacity_providers") }}\n', service=service) == (
        "capacity_providers = {\nFARGATE = {\nbase = 2\nweight = 1\n}\nFARGATE_SPOT = {\nweight = 3\n}\n}\n"
    )


@pytest.mark.parametrize(
    ("rule", "side", "printed"),
    [
        (Rule("web", "", peer="orders", port=80), "from", 'from_group = "orders"\nport = 80\n'),
        (Rule("web", "", cidr="0.0.0.0/0", port=443), "to", 'to_cidr = "0.0.0.0/0"\nport = 443\n'),
        (Rule("web", "", peer="app"), "to", 'to_group = "app"\nprotocol = "-1"\n'),
        (
            Rule("web", "", peer="dns", port=53, protocol="udp"),
            "to",
            'to_group = "dns"\nport = 53\nprotocol = "udp"\n',
        ),
        (
            Rule("web", "", prefix_list="s3", port=443),
            "to",
            "to_prefix_list = module.network.s3_prefix_list_id\nport = 443\n",
        ),
        (
            Rule("web", "", cidr=VPC, port=2049),
            "to",
            "to_cidr = module.network.vpc_cidr_block\nport = 2049\n",
        ),
    ],
)
def test_a_rules_peer_is_its_other_side_and_port_or_protocol(
    tmp_path: Path, rule: Rule, side: str, printed: str
) -> None:
    assert render(tmp_path, "{{ rule | peer(side) }}\n", rule=rule, side=side) == printed


@pytest.mark.parametrize(
    ("call", "printed"),
    [
        (Call("web", "orders", 8080, scheme="http"), '"http://buys.${var.namespace}:8080"'),
        (Call("web", "dns", 53, "udp"), '"dns.${var.namespace}:53"'),
        (Call("web", "api.example.com", 443, scheme="https", cidr="0.0.0.0/0"), '"https://api.example.com"'),
    ],
)
def test_the_url_of_a_service_is_in_the_namespace_of_the_stack(
    tmp_path: Path, call: Call, printed: str
) -> None:
    assert (
        render(tmp_path, "a = {{ call | url(labels) }}\n", call=call, labels={"orders": "buys", "dns": "dns"})
        == f"a = {printed}\n"
    )


@pytest.mark.parametrize(
    ("template", "printed"),
    [
        pytest.param("a\n\n\n\nb\n", "a\n\nb\n", id="runs become one"),
        pytest.param("a\n  \n\t\n\nb\n", "a\n\nb\n", id="of spaces too"),
        pytest.param("a {\n\n\n  b\n}\n", "a {\n  b\n}\n", id="none after an opening"),
        pytest.param("a {\n  b\n\n\n}\n", "a {\n  b\n}\n", id="none before a closing"),
        pytest.param("a = [\n\n  1,\n\n]\n", "a = [\n  1,\n]\n", id="in lists too"),
        pytest.param("a\n\nb\n", "a\n\nb\n", id="a single one stays"),
        pytest.param("a = {}\n\nb\n", "a = {}\n\nb\n", id="after a closing it stays"),
    ],
)
def test_blank_lines_are_tidied(tmp_path: Path, template: str, printed: str) -> None:
    assert render(tmp_path, template) == printed


def test_blank_lines_of_a_value_stay(tmp_path: Path) -> None:
    assert render(tmp_path, "a = {{ value }}\n", value="{\n\n\n}") == r'a = "{\n\n\n}"' + "\n"


def test_the_templates_of_a_folder_are_listed_in_order(tmp_path: Path) -> None:
    for name in ("one/b.tf.j2", "one/a.tf.j2", "one/README.md", "onetwo/c.tf.j2"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert Templates(tmp_path).names("one") == ["one/a.tf.j2", "one/b.tf.j2"]


def test_a_template_that_was_compiled_before_is_compiled_again_once_it_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    compile_ = jinja2.Environment.compile

    def counted(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - Jinja's own
        compiled.append(arguments[1])
        return compile_(*arguments, **named)

    monkeypatch.setattr(jinja2.Environment, "compile", counted)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = tmp_path / "case/file.tf.j2"
    file.parent.mkdir()
    printed = []
    for text in ("a = {{ value }}\n", "a = {{ value }}\n", "b = {{ value }}\n", "a = {{ value }}\n"):
        file.write_text(text, encoding="utf-8")
        printed.append(Templates(tmp_path).render("case/file.tf.j2", {"value": "x"}))
    assert printed == ['a = "x"\n', 'a = "x"\n', 'b = "x"\n', 'a = "x"\n']
    assert compiled == ["a = {{ value }}\n", "b = {{ value }}\n", "a = {{ value }}\n"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a\n{{ missing }}\n",
            "templates/case/file.tf.j2:2:1: UndefinedError: 'missing' is undefined; fix the template",
        ),
        (
            "a\n\n{% if %}\n",
            (
                "templates/case/file.tf.j2:3:1: TemplateSyntaxError: Expected an expression, got 'end of"
                " statement block'; fix the template"
            ),
        ),
        (
            "{{ 'a b' | word }}\n",
            "templates/case/file.tf.j2:1:1: ValueError: not a name: 'a b'; fix the template",
        ),
    ],
    ids=["an undefined name", "syntax", "a filter that rejects a value"],
)
def test_an_error_in_a_template_is_reported_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        render(tmp_path, text)
    assert str(caught.value) == message
