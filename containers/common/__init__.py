"""What every service shares: an HTTP server that drains, a client that retries, logs in JSON."""
