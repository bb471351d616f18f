"""A monitor of what must keep working while an environment changes, for tests. It is off by default.

`world` reads the emulator's state, `violations` compares it with what is expected, `monitor` does so after
each call that changes something, and `client` is how a test asks for it.
"""
