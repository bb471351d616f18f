"""AWS's API: clients, the live state of an environment, its verification, and one-off tasks."""
