"""Finds what a vendored file was before a team edited it: the base of a three-way merge."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from fleetform.base.errors import FleetformError, InputError, printable
from fleetform.base.git_blobs import blob_id, read_blob
from fleetform.workflow.upgrade.versions import Pin, wheel_blobs


class RecordedBases:
    """The contents that a lock file records, from Git, this package, or the wheel of the pinned version.

    Args:
        root: The project's root.
        pin: The version that the lock file is of.
        package: The vendored files of this package, by path.
    """

    def __init__(self, root: Path, pin: Pin, package: Mapping[str, bytes]) -> None:
        self._root = root
        self._pin = pin
        self._package = package

    def content(self, path: str, identifier: str) -> bytes:
        """Return what a file was at the recorded version.

        Raises:
            FleetformError: It cannot be found.
        """
        if (content := read_blob(self._root, identifier)) is not None:
            return content
        content = self._package.get(path, b"")
        if blob_id(content) == identifier:
            return content
        try:
            return self._wheel[identifier]
        except KeyError:
            raise InputError(
                f"{printable(path)}: is edited, and its version {self._pin.version} is neither in Git nor in"
                " the wheel, so it cannot be merged; restore fleetform.lock.json with Git"
            ) from None
        except FleetformError as error:
            raise type(error)(
                f"{printable(path)}: is edited, and its version {self._pin.version} is not in Git, so it is"
                f" merged with the wheel's: {error}"
            ) from None

    @cached_property
    def _wheel(self) -> Mapping[str, bytes]:
        return wheel_blobs(self._root, self._pin)


class ForkBases:
    """The contents of version 0.1.0, from the history of a fork.

    Args:
        root: The project's root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def content(self, path: str, identifier: str) -> bytes:
        """Return what a file was in version 0.1.0.

        Raises:
            InputError: The history does not have it.
        """
        if (content := read_blob(self._root, identifier)) is not None:
            return content
        raise InputError(
            f"{printable(path)}: is edited, and this repository's history does not have it as it was in"
            " version 0.1.0; fetch the history of the repository that you forked (`git fetch --unshallow`, or"
            " `git fetch URL`), then run it again"
        )
