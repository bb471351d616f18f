"""The service ``web``: the page that people see. It calls ``orders``."""
