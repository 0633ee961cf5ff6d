"""Tap devices and bridges of the host, by ioctl: what ``ip`` and the vif-bridge script do for xl.

A tap lives as long as a descriptor of it is open. QEMU alone holds it, so it goes away with QEMU, whatever happens.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import socket
import struct

from xlpy.errors import ConfigError, EngineError, InvalidState, PermissionRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xlpy.errors import XlError

MAX_NAME_BYTES = 15
_CAP_NET_ADMIN = 12

# linux/if_tun.h, linux/sockios.h, linux/if.h
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR, _IFF_TUN_EXCL = 0x0002, 0x1000, 0x4000, 0x8000
_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_SIOCGIFMTU, _SIOCSIFMTU = 0x8921, 0x8922
_SIOCSIFHWADDR = 0x8924
_SIOCGIFBR, _SIOCBRADDIF = 0x8940, 0x89A2
_BRCTL_GET_BRIDGES = 1
_MOST_BRIDGES = 1024
_IFF_UP = 1
_ARPHRD_ETHER = 1
_IFREQ_BYTES = 40
# the highest address there is, as vif-bridge sets it: a bridge takes its ports' lowest one for its own
_HOST_SIDE_MAC = bytes.fromhex("feffffffffff")


def may_make_taps() -> bool:
    """Whether this process has the right to (CAP_NET_ADMIN) and the kernel has tap devices."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            rights = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff:"))
    except (OSError, StopIteration, ValueError):
        return False
    return bool(rights >> _CAP_NET_ADMIN & 1) and os.path.exists("/dev/net/tun")


def interface_exists(name: str) -> bool:
    """Whether the host has a network interface of this name."""
    try:
        return bool(socket.if_nametoindex(name))
    except OSError:
        return False


def bridge_names() -> list[str]:
    """The bridges of the host."""
    indices = array.array("i", [0]) * _MOST_BRIDGES
    address, _ = indices.buffer_info()
    request = struct.pack("@3L", _BRCTL_GET_BRIDGES, address, _MOST_BRIDGES)
    try:
        with _control_socket() as control:
            count = fcntl.ioctl(control, _SIOCGIFBR, bytearray(request))
        return sorted(socket.if_indextoname(index) for index in indices[:count])
    except OSError:
        return []  # a kernel without bridges


def _control_socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)


def open_tap(name: str, bridge: str, mtu: int = 0) -> int:
    """A new tap device, up and plugged into the bridge, as a descriptor for QEMU.

    ``mtu`` 0 takes the bridge's. Raises ConfigError, InvalidState if the name is in use, PermissionRefused, EngineError.
    """
    if not 0 < len(os.fsencode(name)) <= MAX_NAME_BYTES:
        raise ConfigError(
            f"'{name}' is no name for a network interface", f"at most {MAX_NAME_BYTES} characters"
        )
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _tap_error(name, error) from error
    try:
        _make_tap(fd, name)
        with _control_socket() as control:
            _plug_in(control.fileno(), name, bridge, mtu)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _make_tap(fd: int, name: str) -> None:
    flags = _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR | _IFF_TUN_EXCL
    try:
        fcntl.ioctl(fd, _TUNSETIFF, _request(name, struct.pack("H", flags)))
    except OSError as error:
        raise _tap_error(name, error) from error


def _tap_error(name: str, error: OSError) -> XlError:
    if error.errno == errno.EBUSY:
        return InvalidState(f"the network interface {name} is in use", "choose another one with vifname=")
    if error.errno in (errno.EPERM, errno.EACCES):
        return PermissionRefused(
            f"no permission to make the network interface {name}",
            "bridged networks need root; leave bridge= out to use a user-mode network",
        )
    return EngineError(
        f"cannot make the network interface {name}: {error.strerror}", "is the module tun there?"
    )


def _plug_in(control: int, name: str, bridge: str, mtu: int) -> None:
    try:
        fcntl.ioctl(
            control, _SIOCSIFHWADDR, _request(name, struct.pack("H6s", _ARPHRD_ETHER, _HOST_SIDE_MAC))
        )
        size = struct.pack("i", mtu) if mtu else _answer(control, _SIOCGIFMTU, bridge)[:4]
        fcntl.ioctl(control, _SIOCSIFMTU, _request(name, size))
        fcntl.ioctl(control, _SIOCBRADDIF, _request(bridge, struct.pack("i", socket.if_nametoindex(name))))
        (flags,) = struct.unpack_from("h", _answer(control, _SIOCGIFFLAGS, name))
        fcntl.ioctl(control, _SIOCSIFFLAGS, _request(name, struct.pack("h", flags | _IFF_UP)))
    except OSError as error:
        raise _bridge_error(name, bridge, mtu, error) from error


def _bridge_error(name: str, bridge: str, mtu: int, error: OSError) -> XlError:
    if error.errno == errno.ENODEV:
        return missing_bridge(bridge)
    if bridge not in bridge_names():
        return ConfigError(f"the network interface {bridge} is no bridge", _known_bridges())
    if error.errno == errno.EINVAL and mtu:
        return ConfigError(f"{name}: the host cannot have an mtu of {mtu}")
    return EngineError(f"cannot plug {name} into the bridge {bridge}: {error.strerror}")


def missing_bridge(bridge: str) -> ConfigError:
    """The error for a bridge that the host doesn't have; names those that it has."""
    return ConfigError(f"the host has no bridge {bridge}", _known_bridges())


def _known_bridges() -> str:
    names = bridge_names()
    return (
        f"bridges here: {', '.join(names)}"
        if names
        else "there is none; 'ip link add NAME type bridge' makes one"
    )


def _request(name: str, data: bytes) -> bytes:
    """A struct ifreq."""
    return (name.encode().ljust(16, b"\0") + data).ljust(_IFREQ_BYTES, b"\0")


def _answer(control: int, number: int, name: str) -> bytes:
    return fcntl.ioctl(control, number, _request(name, b""))[16:]
