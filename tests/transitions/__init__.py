"""Changes of an applied environment: what runs before and after must run meanwhile."""
