"""Builds the small Linux guest of the demo and the tests out of Debian packages, without root.

packages    which packages, in which versions; download and unpack them
modules     kernel modules: what depends on what, and the tables modprobe reads
cpio        a root file system as an initramfs
initramfs   busybox, modules and ``root/`` put together
disk        the same guest as a disk image that boots by BIOS and by UEFI
"""
