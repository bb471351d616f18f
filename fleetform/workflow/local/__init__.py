"""Running an environment's services on this machine."""
