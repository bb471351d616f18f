"""From the catalog to applied, verified, drift-free and destroyed, by the commands that a person gives."""

import re

from tests.end_to_end.conftest import Shell

STEPS = """\
✓ Render: nothing to change
✓ Check the HCL: no findings
✓ Start the emulator
✓ Create the state bucket: shop-local-tfstate-123456789012
✓ Plan foundation: 39 to add
✓ Apply foundation: 39 added, 0 changed, 0 destroyed
- Build and push the images: skipped: no program on this machine can build images \
(docker: not on PATH; podman: not on PATH; buildah: not on PATH); install and start Docker, Podman or Buildah
✓ Plan services: 27 to add
✓ Apply services: 27 added, 0 changed, 0 destroyed
✓ Verify through the AWS API: 61 facts match the catalog
✓ Plan foundation again: no drift
✓ Plan services again: no drift
- Run the services: skipped: no program on this machine can run containers \
(docker: not on PATH; podman: not on PATH); install and start Docker with Compose (on Debian: apt-get \
install docker.io docker-compose), or Podman with Compose (on Debian: apt-get install podman netavark \
aardvark-dns docker-compose)
✓ Destroy services: 27 destroyed
✓ Destroy foundation: 39 destroyed
"""

TABLE = """\
service  DNS name                    port  calls   tasks
orders   orders.local.shop.internal  8080  stock     2/2
stock    stock.local.shop.internal   8080  -         1/1
web      web.local.shop.internal       80  orders    1/1
"""


def test_the_demo_does_all_of_it_and_leaves_nothing(shell: Shell) -> None:
    done = shell.invoke("demo")
    timeless = re.sub(r" \d+\.\d s$", "", done.stdout, flags=re.MULTILINE)
    steps = "".join(line for line in timeless.splitlines(keepends=True) if line[0] in "✓✗-")
    table = "".join(re.findall(r"^(?:service|orders|stock|web) .*\n", timeless, flags=re.MULTILINE))
    last = done.stdout.splitlines()[-1]
    assert (done.returncode, steps, table) == (0, STEPS, re.sub(r" +$", "", TABLE, flags=re.MULTILINE)), (
        done.stdout
    )
    assert re.fullmatch(r"no drift \(\d+ s\)", last)
    assert shell.processes() == []
    assert list((shell.project / ".fleetform").iterdir()) == []
