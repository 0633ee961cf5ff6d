"""Carrying unix sockets, and the descriptors passed over them, to another machine."""
