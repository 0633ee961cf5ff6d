"""xlpyd: the one process of a host that supervises domains."""
