"""The AWS API on loopback: moto in a process of its own, with the gaps filled that Terraform would trip over."""

from fleetform.emulator.process import DEFAULT_PORT, Emulator, environment, start, status, stop

__all__ = ["DEFAULT_PORT", "Emulator", "environment", "start", "status", "stop"]
