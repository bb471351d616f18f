"""Policy: resources read back from the HCL on disk, rules on them, findings."""
