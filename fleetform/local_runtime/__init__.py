"""An environment's services in containers on this machine."""
