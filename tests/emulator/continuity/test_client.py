"""A test watches an emulator while an environment changes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from fleetform import emulator
from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError
from fleetform.emulator.continuity import client
from fleetform.emulator.continuity.monitor import Record
from fleetform.emulator.process import CONTINUITY_PATH
from tests.deployed import REGION, Deployment, environment
from tests.expectations import expectations


@dataclass(frozen=True)
class Watched:
    """A deployment whose emulator is watched."""

    folder: Path
    deployment: Deployment

    def interruptions(self) -> list[tuple[str, str, tuple[str, ...], str, str | None]]:
        """Call, check, services, detail, and the call that ended it."""
        return [
            (each.call, each.violation.check, each.violation.services, each.violation.detail, each.ended_by)
            for each in client.report(self.folder)
        ]


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, emulator.Emulator]]:
    """An emulator that can be watched, and its folder."""
    folder = tmp_path_factory.mktemp("watched")
    yield folder, emulator.start(folder, port=0, options=emulator.Options(delay=0, monitor=True))
    emulator.stop(folder)


@pytest.fixture
def watched(watching: tuple[Path, emulator.Emulator]) -> Iterator[Watched]:
    folder, started = watching
    access = Access(REGION, emulator.environment(started, os.environ))
    made = Deployment(environment(f"shop-{uuid4().hex[:8]}"), access)
    made.create()
    standing = client.watch(folder, expectations(made.environment, made.environment))
    yield Watched(folder, made)
    client.stop(folder)
    made.delete()
    assert list(standing) == []


def test_an_environment_that_only_grows_is_not_interrupted(watched: Watched) -> None:
    watched.deployment.create_group("extra")
    assert watched.interruptions() == []


def test_a_revoked_rule_interrupts_its_call_until_it_is_back(watched: Watched) -> None:
    made = watched.deployment
    made.ec2.revoke_security_group_egress(**made.rule("web", "orders", 8080))
    made.ec2.authorize_security_group_egress(**made.rule("web", "orders", 8080))
    assert watched.interruptions() == [
        (
            "RevokeSecurityGroupEgress",
            "call",
            ("web", "orders"),
            "no egress rule for tcp port 8080",
            "AuthorizeSecurityGroupEgress",
        )
    ]
    (record,) = client.report(watched.folder)
    assert f"GroupId={made.groups['web']}" in record.request


def test_a_new_port_interrupts_its_callers_when_the_first_new_task_runs(watched: Watched) -> None:
    watched.deployment.redefine("orders", {"PORT": "9090"}, "orders")
    missing = [
        ("UpdateService", "call", (caller, "orders"), f"no {direction} rule for tcp port 9090", None)
        for caller in ("web", "worker")
        for direction in ("egress", "ingress")
    ]
    assert watched.interruptions() == missing


def test_a_new_port_whose_rules_come_first_interrupts_nothing(watched: Watched) -> None:
    made = watched.deployment
    for peer in ("web", "worker"):
        made.ec2.authorize_security_group_ingress(**made.rule("orders", peer, 9090))
        made.ec2.authorize_security_group_egress(**made.rule(peer, "orders", 9090))
    made.redefine("orders", {"PORT": "9090"}, "orders")
    made.ec2.revoke_security_group_egress(**made.rule("web", "orders", 8080))
    assert watched.interruptions() == []


def test_a_service_that_is_created_again_was_interrupted(watched: Watched) -> None:
    made = watched.deployment
    made.delete_service("orders")
    made.create_service("orders", {"PORT": "8080"})
    assert watched.interruptions() == [
        ("DeleteService", "service", ("orders",), "no ECS service is ACTIVE", "CreateService")
    ]


def test_a_name_without_instances_interrupts(watched: Watched) -> None:
    made = watched.deployment
    service = made.registries["orders"]
    for instance in made.discovery.list_instances(ServiceId=service)["Instances"]:
        made.discovery.deregister_instance(ServiceId=service, InstanceId=instance["Id"])
    name = f"orders.{made.namespace}"
    assert watched.interruptions() == [
        (
            "DeregisterInstance",
            "call",
            ("web", "orders"),
            "the caller finds the callee in no namespace",
            None,
        ),
        (
            "DeregisterInstance",
            "call",
            ("worker", "orders"),
            "the caller finds the callee in no namespace",
            None,
        ),
        ("DeregisterInstance", "name", ("orders",), f"{name} leads to no task", None),
    ]


def request(url: str, headers: dict[str, str]) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", CONTINUITY_PATH, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer é"}])
def test_only_who_has_the_token_watches(
    watching: tuple[Path, emulator.Emulator], headers: dict[str, str]
) -> None:
    encoded: dict[str, Any] = {key: value.encode() for key, value in headers.items()}
    assert request(watching[1].url, encoded) == (403, "the token is not this start's")


def test_a_normal_start_cannot_be_watched(folder: Path) -> None:
    started = emulator.start(folder, port=0)
    with pytest.raises(ProgramError, match="does not watch"):
        client.report(folder)
    assert request(started.url, {})[0] != 200


def test_nothing_is_reported_before_a_test_watches(watching: tuple[Path, emulator.Emulator]) -> None:
    assert client.report(watching[0]) == list[Record]()
