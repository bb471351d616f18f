"""Expressions of HCL to values: modules, functions and the resources that come of them."""
