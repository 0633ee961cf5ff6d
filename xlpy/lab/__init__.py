"""The lab: real Xen hosts in QEMU, to try xlpy on and to test it with.

places      where the lab keeps images and hosts
programs    what has to be installed for it
memory      whether this machine has the memory for a host
accelerator whether hosts run under KVM
recipe      which Debian makes which Xen, and all that decides what an image is
keys        the SSH keys of the lab
kernel      the kernel within a bzImage
image       a dom0's disk and boot files, built by mmdebstrap, cached
monitor     QMP, one command after the other
machine     QEMU's command line
vm          one QEMU in one directory: start it, find it again, end it
ready       a booted host as a snapshot, cached
enrol       the hosts' entries in the inventory
host        one host of the lab
lab         all of them

A host is never booted for a user: the first one of its kind is booted once and saved, and every host starts from that
snapshot in a few seconds.
"""
