"""Every edge of the call graph tried from inside its caller: what should connect does, what should not does not."""
