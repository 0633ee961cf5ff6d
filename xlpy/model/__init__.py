"""What xlpy speaks of: domains, devices, vcpus, hosts. Immutable values without any I/O."""
