"""The AWS API on loopback: moto in a separate process, with the operations added that Terraform needs."""

from fleetform.emulator.process import (
    DEFAULT_PORT,
    Emulator,
    Options,
    environment,
    start,
    status,
    stop,
)

__all__ = ["DEFAULT_PORT", "Emulator", "Options", "environment", "start", "status", "stop"]
