"""In production, as it is applied, everybody reaches whom the catalog says and nobody else."""

from fleetform.topology.reachability import find_differences, openings, read_network
from tests.environments.production.conftest import Production


def test_everybody_reaches_whom_the_catalog_says_and_nobody_else(production: Production) -> None:
    assert find_differences(production.environment, read_network(*production.applied.values())) == ()


def test_the_internet_reaches_the_listeners_alone(production: Production) -> None:
    """`media` reads secrets over NAT, so that it may call any address by HTTPS: the load balancer has one."""
    assert sorted(map(str, openings(read_network(*production.applied.values())))) == [
        "ingress->web:80/tcp",
        "internet->ingress:443/tcp",
        "internet->ingress:80/tcp",
        "mail->endpoints:443/tcp",
        "mail->internet:587/tcp",
        "mail->s3:443/tcp",
        "media->10.0.0.0/16:2049/tcp",
        "media->endpoints:443/tcp",
        "media->ingress:443/tcp",
        "media->internet:443/tcp",
        "media->s3:443/tcp",
        "orders->endpoints:443/tcp",
        "orders->s3:443/tcp",
        "orders->stock:8080/tcp",
        "report->endpoints:443/tcp",
        "report->media:8080/tcp",
        "report->s3:443/tcp",
        "stock->endpoints:443/tcp",
        "stock->s3:443/tcp",
        "web->endpoints:443/tcp",
        "web->orders:8080/tcp",
        "web->s3:443/tcp",
    ]
