"""AWS: its API's clients, what it has of an environment, and what runs there once."""
