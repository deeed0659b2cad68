"""Where student code runs: the trusted end, the wire, and the worker at the other end."""
