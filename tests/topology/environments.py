"""A small environment, built without files."""

from typing import Any

from fleetform.catalog.models import Environment, Service


def service(port: int | None = None, *calls: str, public: bool = False) -> Service:
    return Service(image="nginx", port=port, calls=calls, public=public)


CHAIN = {
    "web": service(80, "orders", public=True),
    "orders": service(8080, "stock"),
    "stock": service(8080),
    "worker": service(None, "stock", "orders"),
}


def environment(services: dict[str, Service] = CHAIN, **values: Any) -> Environment:  # noqa: ANN401 - any of its fields
    fixed = {"name": "dev", "application": "shop", "account": "123456789012", "region": "ap-northeast-1"}
    zones = ("ap-northeast-1a", "ap-northeast-1c")
    return Environment(**{"zones": zones, "services": services, **fixed, **values})
