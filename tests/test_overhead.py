"""What we add to Terraform's own time, with a Terraform that takes none.

Wall time says more of what else the machine does: it is measured by benchmarks/driving.py, beside Terraform
itself.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests import small_project
from tests.fake_terraform import FakeTerraform

# Five in a hundred of what a plan of a hundred resources takes is half a second of wall time. Of processor
# time, the import of boto3 takes as much again while Terraform runs, and a machine that is busy makes twice
# as much of both.
SECONDS = 2.5


def test_a_plan_is_one_run_of_terraform_and_little_else(
    tmp_path: Path, terraform_binary: str, terraform_environment: Mapping[str, str]
) -> None:
    small_project.make(tmp_path)
    fake = FakeTerraform.install(tmp_path / "bin", terraform_binary)
    fake.version("1.11.4")
    fake.install_on_init()
    variables = {**terraform_environment, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    argv = [sys.executable, "-m", "invoke", "plan", "--env", "tiny", "--stack", "foundation"]
    seconds = []
    for _ in range(3):
        fake.forget()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, cwd=tmp_path, env=variables, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert [call.command for call in fake.all_calls()] == ["plan"]
    assert min(seconds[1:]) < SECONDS
