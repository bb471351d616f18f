"""The service ``stock``: how many of each article there are. It calls no service."""
