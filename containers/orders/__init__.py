"""The service ``orders``: who wants what, and whether it can be had. It calls ``stock``."""
