"""An environment in containers on this machine: its networks, its Compose document, its secrets."""
