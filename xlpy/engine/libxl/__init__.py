"""Domains on real Xen, through libxenlight."""
