"""What an environment would allow and run, read from planned resources only, never from the catalog."""

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from fleetform import topology
from fleetform.base.errors import InputError
from fleetform.base.suggestions import suggestion
from fleetform.stacks import FOUNDATION
from fleetform.topology.applied_rule import ALL_PROTOCOLS
from fleetform.topology.reachability import INTERNET, AppliedNetwork, Opening, openings, read_network

Document: TypeAlias = dict[str, Any]
"""Planned values of a stack, as `terraform show -json` prints them: `root_module`, `outputs`."""

_PLACES = {topology.INGRESS, topology.ENDPOINTS}
_TASK_DEFINITION = "aws_ecs_task_definition"


@dataclass(frozen=True)
class StackPlan:
    """The plan of one stack.

    Attributes:
        name: The stack's name, such as `foundation` or `services`.
        document: The planned values as `terraform show -json` prints them: an object with `root_module` and
            `outputs`. Values that are known only after an apply are missing in it.
    """

    name: str
    document: Document

    @cached_property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the planned values of each resource, by address.

        An address is Terraform's, such as `module.web.aws_ecs_task_definition.this`. Data sources are not
        included, nor are values that are known only after an apply. JSON documents, such as
        `container_definitions`, are text.
        """
        found = _resources(self.document.get("root_module", {}))
        return {each["address"]: each["values"] for each in found if each["mode"] == "managed"}

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """Return the values of the stack's outputs that are known before an apply, by name."""
        outputs: Mapping[str, Any] = self.document.get("outputs", {})
        return {name: output["value"] for name, output in outputs.items() if "value" in output}


@dataclass(frozen=True)
class EnvironmentPlan:
    """The plans of all stacks of an environment.

    Each property is read from planned resources, so it shows what AWS would have, even if the catalog or
    custom Terraform says otherwise.

    Attributes:
        name: The environment's name.
        stacks: The plans by stack, in the order of an apply.
    """

    name: str
    stacks: Mapping[str, StackPlan]

    def stack(self, name: str) -> StackPlan:
        """Return the plan of a stack.

        Raises:
            InputError: The environment does not have the stack.
        """
        if name not in self.stacks:
            raise InputError(f"unknown stack `{name}` of {self.name}; {suggestion(name, [*self.stacks])}")
        return self.stacks[name]

    @cached_property
    def openings(self) -> frozenset[Opening]:
        """Return every connection that planned security group rules, routes and listeners allow.

        The ends of an `Opening` are services, `ingress` (the load balancer), `endpoints` (of the VPC),
        `internet`, networks such as `10.8.0.0/16`, and AWS services such as `s3`. Ports are ranges.
        """
        return openings(self._network)

    @cached_property
    def calls(self) -> frozenset[str]:
        """Return which service can connect to which, as `web->orders:8080`.

        The protocol follows if it is not TCP: `web->dns:53/udp`. A range of ports stands for those that the
        called service listens on, as its task definition says; without any it is shown as it is,
        `web->orders:8000-9000`, or `web->orders:*` for all. Services that share a security group have the
        openings of all of them; those of no use to a service are left out.
        """
        return frozenset(
            f"{opening.source}->{opening.target}:{port}"
            for opening in self.openings
            if opening.source in self._services and opening.target in self._services
            for port in self._ports(opening)
        )

    @cached_property
    def public(self) -> frozenset[str]:
        """Return which services can be reached from public addresses, as `web:80`.

        The port is the service's own, also if only a load balancer reaches it. A service is public even if
        only some public addresses may connect; `openings` shows which.
        """
        outside = {opening.target for opening in self.openings if _is_public(opening.source)}
        balancers = {topology.INGRESS} & outside
        return frozenset(
            f"{opening.target}:{port}"
            for opening in self.openings
            if opening.target in self._services
            and (opening.source in balancers or _is_public(opening.source))
            for port in self._ports(opening)
        )

    @cached_property
    def images(self) -> Mapping[str, str]:
        """Return the image of each container, by service, or by `service/container` for sidecars.

        An image of the environment's own repositories is named without its registry, which is a different
        one on the emulator: `shop-prod-web@sha256:…`, or `shop-prod-web:unbuilt` before it is built. All
        others are as planned, such as `public.ecr.aws/nginx/nginx:1.29`.
        """
        prefix = {url: url.rpartition("/")[2] for url in self._repositories}
        images = {}
        for key, image in self._planned_images.items():
            own = _repository(image)
            images[key] = image.replace(own, prefix[own], 1) if own in prefix else image
        return images

    @cached_property
    def external_images(self) -> Mapping[str, str]:
        """Return those of `images` that are not from the environment's own repositories."""
        own = self._repositories
        return {key: image for key, image in self._planned_images.items() if _repository(image) not in own}

    def environment(self, service: str) -> Mapping[str, str]:
        """Return the environment variables of a service's own container, without secrets, by name.

        Raises:
            InputError: The environment does not have the service.
        """
        containers = self._containers.get(service)
        if containers is None:
            known = suggestion(service, [*self._containers])
            raise InputError(f"unknown service `{service}` of {self.name}; {known}")
        found = next((each for each in containers if each["name"] == service), containers[0])
        return {item["name"]: item["value"] for item in found.get("environment") or ()}

    @cached_property
    def _network(self) -> AppliedNetwork:
        return read_network(*({"planned_values": each.document} for each in self.stacks.values()))

    @property
    def _services(self) -> frozenset[str]:
        return frozenset(self._network.members) - _PLACES

    @property
    def _repositories(self) -> frozenset[str]:
        urls: Mapping[str, str] = self.stack(FOUNDATION.name).outputs.get("repository_urls", {})
        return frozenset(urls.values())

    @property
    def _planned_images(self) -> Mapping[str, str]:
        return {
            service if container["name"] == service else f"{service}/{container['name']}": container["image"]
            for service, containers in self._containers.items()
            for container in containers
        }

    @cached_property
    def _containers(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """Return the planned containers of each service and task, by its module's name."""
        return {
            address.split(".")[1]: json.loads(values["container_definitions"])
            for stack in self.stacks.values()
            for address, values in stack.resources.items()
            if f".{_TASK_DEFINITION}." in address and "container_definitions" in values
        }

    def _listening(self, service: str) -> frozenset[tuple[int, str]]:
        return frozenset(
            (mapping["containerPort"], mapping.get("protocol", "tcp"))
            for container in self._containers.get(service, ())
            for mapping in container.get("portMappings") or ()
        )

    def _ports(self, opening: Opening) -> Iterator[str]:
        """Yield the ports that an opening stands for, each with its protocol if it is not TCP."""
        listening = {
            Opening(opening.source, opening.target, protocol, port, port)
            for port, protocol in self._listening(opening.target)
            if _covers(opening, port, protocol)
        }
        if listening or not self._is_meant_for_another(opening):
            for each in listening or {opening}:
                yield str(each).rpartition(":")[2].removesuffix("/tcp")

    def _is_meant_for_another(self, opening: Opening) -> bool:
        """Return whether a service that shares a security group with the target explains an opening."""
        groups = self._network.members[opening.target]
        return any(
            _covers(opening, port, protocol)
            for other in self._services - {opening.target}
            if self._network.members[other] & groups
            for port, protocol in self._listening(other)
        )


def _repository(image: str) -> str:
    """Return an image's name without its tag and digest; a registry's port is not a tag."""
    name = image.partition("@")[0]
    registry, slash, rest = name.rpartition("/")
    return registry + slash + rest.partition(":")[0]


def _covers(opening: Opening, port: int, protocol: str) -> bool:
    return opening.protocol in {protocol, ALL_PROTOCOLS} and opening.first <= port <= opening.last


def _is_public(end: str) -> bool:
    """Return whether an end is the internet, or a network that has public addresses."""
    if end == INTERNET:
        return True
    try:
        return not ipaddress.ip_network(end).is_private
    except ValueError:  # a service, or an AWS service
        return False


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _resources(child)
