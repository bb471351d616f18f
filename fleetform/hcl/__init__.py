"""HCL: literals out, parsed HCL in."""
