"""Remakes the golden findings of all rules' bad examples: ``python -m tests.policy.golden``."""

from fleetform.policy.rules import shipped

from .examples import GOLDEN, told


def main() -> None:
    """Writes a file for each rule."""
    GOLDEN.mkdir(exist_ok=True)
    for rule in shipped().values():
        (GOLDEN / f"{rule.id}.txt").write_text(told(rule), encoding="utf-8")


if __name__ == "__main__":
    main()
