"""`python -m fleetform`: what the program `fleetform` does."""

from fleetform.cli.main import run

if __name__ == "__main__":
    run()
