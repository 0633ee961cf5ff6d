"""Domains as QEMU processes: xl's config files on any Linux machine."""
