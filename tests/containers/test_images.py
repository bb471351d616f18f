"""What the three images have in common."""

import pytest

from .processes import CONTAINERS


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.dockerignore", "__main__.py"])
def test_the_services_differ_in_nothing_but_their_name(name: str) -> None:
    texts = {
        (CONTAINERS / service / name).read_text().replace(service, "*")
        for service in ("web", "orders", "stock")
    }

    assert len(texts) == 1


def test_an_image_holds_the_shared_package_and_its_own_and_nothing_else() -> None:
    lines = (CONTAINERS / "orders" / "Dockerfile").read_text().splitlines()
    ignored = (CONTAINERS / "orders" / "Dockerfile.dockerignore").read_text().splitlines()

    assert [line for line in lines if line.startswith("COPY")] == [
        "COPY common/ common/",
        "COPY orders/ orders/",
    ]
    assert ignored[1:] == ["*", "!common/", "!orders/", "**/__pycache__/", "orders/Dockerfile*"]
