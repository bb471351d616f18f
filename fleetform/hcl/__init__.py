"""HCL: values written as literals, and files parsed."""
