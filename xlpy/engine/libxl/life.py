"""The lives of domains: made, asked, stopped, ended."""

from __future__ import annotations

import ctypes
import time

from xlpy import __version__
from xlpy.engine.libxl import balloon, wire
from xlpy.engine.libxl.ends import Ends
from xlpy.engine.libxl.left_config import read_as_xl
from xlpy.engine.libxl.library import Uuid
from xlpy.engine.libxl.psr import LibxlPsr
from xlpy.engine.libxl.reading import list_of
from xlpy.engine.libxl.said import device_model_failure
from xlpy.engine.libxl.stuck_child import StuckChildWatch
from xlpy.errors import ConfigError, InvalidState, NotSupported, XlError
from xlpy.model.domain import DomainEnd, ShutdownReason
from xlpy.model.json_text import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xlpy.engine.libxl.context import Context, Struct
    from xlpy.engine.libxl.ends import States
    from xlpy.model.domain_config import DomainConfig

INVALID_DOMID = 0xFFFFFFFF
# What libxl keeps beside a domain, by who keeps it: one of ours can be told by it from one of xl's.
MARK = b"xlpy"
_XLS = b"xl"
_DESTROY_ATTEMPTS = 3
_RECENT_DOMIDS = "/run/xen/domid-history"
_NO_PV = -10  # ERROR_NOPARAVIRT
_TRIGGERS = {"power": 1, "sleep": 2, "nmi": 3, "init": 4, "reset": 5, "s3resume": 6}


class LibxlLife(LibxlPsr):
    """What is done with a whole domain."""

    shared = True

    def __init__(self) -> None:
        super().__init__()
        self.xl_lock = balloon.XlLock()
        self.ends = Ends(self._states)

    def start(self, on_end: Callable[[DomainEnd], None]) -> None:
        """See ``Engine.start``. Raises NotSupported when arrays of this libxl are not as measured."""
        self._check_measures()
        self.ends.start(on_end)

    def close(self) -> None:
        """Let go of the domains; they run on."""
        self.ends.stop()
        self.xenstore.close()
        self.contexts.close()

    def made_here(self, domid: int) -> bool:
        """Whether it carries the mark of an xlpyd."""
        return self.userdata(domid, MARK) is not None

    def left_config(self, domid: int) -> DomainConfig | None:
        """What ``xl config-update`` said last, read by the host's own xl."""
        text = self.userdata(domid, _XLS)
        return None if text is None else read_as_xl(text)

    def forget_left_config(self, domid: int) -> None:
        """libxl_userdata_unlink."""
        with self.contexts.borrow() as context:
            context.call("userdata_unlink", domid, _XLS)

    def userdata(self, domid: int, keeper: bytes) -> bytes | None:
        """What is kept beside a domain under this name."""
        data, length = ctypes.c_void_p(), ctypes.c_int()
        with self.contexts.borrow() as context:
            status = context.call(
                "userdata_retrieve", domid, keeper, ctypes.byref(data), ctypes.byref(length)
            )
        if status or not data.value:
            return None
        try:
            return ctypes.string_at(data.value, length.value)
        finally:
            self.library.libc.free(data)

    # -- begin and end

    def create_domain(
        self,
        config: DomainConfig,
        paused: bool = False,
        supervised: bool = True,
        config_text: str | None = None,
    ) -> int:
        """libxl_domain_create_new, under the lock that xl takes for it, and what xl does before and after."""
        with self.contexts.borrow() as context, wire.domain_config(context, config) as built:
            with self.xl_lock:
                balloon.make_room(context, config)
                domid = self._build(context, built, config)
            try:
                self.mark(context, domid)
                if not paused:
                    context.do(f"domain {domid} cannot be started", "domain_unpause", domid)
            except XlError:
                self.undo(context, domid)
                raise
        self.watch_over(domid, config)
        return domid

    def watch_over(self, domid: int, config: DomainConfig) -> None:
        """Tell of the end of a domain that was just made."""
        if config.c_info.uuid:
            self.ends.learn(domid, config.c_info.uuid)
        else:  # libxl has given it one
            self.ends.look_again()

    def _build(self, context: Context, built: Struct, config: DomainConfig) -> int:
        domid, began_s = ctypes.c_uint32(INVALID_DOMID), time.time()
        status = context.call("domain_create_new", built.memory, ctypes.byref(domid))
        if status < 0:
            error = context.failure(f"domain {config.c_info.name!r} cannot be created", status)
            self.undo(context, domid.value)
            error = device_model_failure(error, config.c_info.name or "", began_s)
            raise balloon.shortage(context, config, error)
        return domid.value

    def mark(self, context: Context, domid: int) -> None:
        """Write down that the domain is ours. Raises EngineError."""
        data = ctypes.create_string_buffer(dumps({"xlpy": __version__}).encode())
        what = f"domain {domid} cannot be marked as ours"
        context.do(what, "userdata_store", domid, MARK, data, len(data))

    def undo(self, context: Context, domid: int) -> None:
        """Destroy what there is of a domain that didn't come to life; libxl has mostly done so."""
        if domid == INVALID_DOMID or not self.is_there(context, domid):
            return
        try:
            self._destroy(context, domid)
        except XlError:
            pass  # why it didn't come to life is what is told

    def destroy_domain(self, domid: int) -> None:
        """libxl_domain_destroy; it fails for one that somebody else destroys at the same time, which is no failure."""
        with self.contexts.borrow() as context:
            self.require(context, domid)
            self._destroy(context, domid)
        self.ends.look_again()

    def _destroy(self, context: Context, domid: int) -> None:
        """Do it, and once more where libxl's own child was forked at a bad moment. Raises XlError if it is still there."""
        for _ in range(_DESTROY_ATTEMPTS):
            with StuckChildWatch() as watch:
                status = context.call("domain_destroy", domid)
            if status == 0:
                return
            error = context.failure(f"domain {domid} cannot be destroyed", status)
            if not self.is_there(context, domid):
                return
            if not watch.ended:
                break
        raise error

    def taken_domids(self) -> frozenset[int]:
        """Those of all domains there are, and those that libxl keeps from being used again for a while."""
        try:
            with open(_RECENT_DOMIDS, encoding="ascii") as file:
                recent = [int(line.split()[1]) for line in file.read().splitlines()]
        except (OSError, ValueError, IndexError):
            recent = []
        return frozenset((*self._states(), *recent))

    def preserve_domain(self, domid: int, name: str, uuid: str) -> None:
        """libxl_domain_preserve: xenstore has the new name and uuid; the hypervisor keeps the uuid."""
        old = self.domain_info(domid).name or ""
        if not name.startswith(old):
            raise ConfigError(f"what is left of {old!r} can only get a longer name, not {name!r}")
        new_uuid = Uuid((ctypes.c_uint8 * 16)(*bytes.fromhex(uuid.replace("-", ""))))
        with self.contexts.borrow() as context, context.new("domain_create_info", {"name": old}) as info:
            what = f"what is left of domain {domid} cannot be kept"
            suffix = name[len(old) :].encode()
            context.do(what, "domain_preserve", domid, info.memory, suffix, new_uuid)
        self.ends.look_again()

    def soft_reset_domain(self, domid: int, config: DomainConfig, paused: bool = False) -> None:
        """libxl_domain_soft_reset, which destroys what it cannot reset."""
        what = f"domain {domid} cannot be reset"
        with self.contexts.borrow() as context, wire.domain_config(context, config) as built:
            self.require(context, domid)
            context.do(what, "domain_soft_reset", built.memory, domid)
            if not paused:
                context.do(what, "domain_unpause", domid)
        self.ends.look_again()

    # -- while it runs

    def pause_domain(self, domid: int) -> None:
        """libxl_domain_pause; nothing happens to a domain that is paused."""
        if not self.domain_info(domid).paused:
            self._ask("domain_pause", domid, "cannot be paused")

    def unpause_domain(self, domid: int) -> None:
        """libxl_domain_unpause; nothing happens to a domain that runs."""
        if self.domain_info(domid).paused:
            self._ask("domain_unpause", domid, "cannot be unpaused")

    def shutdown_domain(self, domid: int, acpi_fallback: bool = False) -> None:
        """libxl_domain_shutdown; a guest that doesn't listen to xenstore gets the power button with ``acpi_fallback``."""
        self._ask_guest("domain_shutdown", domid, "power" if acpi_fallback else None)

    def reboot_domain(self, domid: int, acpi_fallback: bool = False) -> None:
        """libxl_domain_reboot, or the reset button."""
        self._ask_guest("domain_reboot", domid, "reset" if acpi_fallback else None)

    def _ask_guest(self, function: str, domid: int, fallback: str | None) -> None:
        with self.contexts.borrow() as context:
            self.require(context, domid)
            status = context.call(function, domid)
            error = context.failure(f"domain {domid} cannot be asked", status)
        if status == _NO_PV and fallback is not None:
            self.send_trigger(domid, fallback)
        elif status == _NO_PV:
            raise InvalidState(
                f"domain {domid} has no drivers that listen to xenstore", "press its power button: -F"
            )
        elif status < 0:
            raise error

    def send_trigger(self, domid: int, trigger: str, vcpuid: int = 0) -> None:
        """libxl_send_trigger."""
        if trigger not in _TRIGGERS:
            raise NotSupported(f"Xen has no trigger {trigger!r}", f"it has {' '.join(_TRIGGERS)}")
        self._ask("send_trigger", domid, f"cannot get the trigger {trigger}", _TRIGGERS[trigger], vcpuid)

    def send_sysrq(self, domid: int, letter: str) -> None:
        """libxl_send_sysrq."""
        self._ask("send_sysrq", domid, "cannot get a sysrq", letter.encode("ascii", "replace")[:1])

    def rename_domain(self, domid: int, name: str) -> None:
        """libxl_domain_rename. Raises DomainExists."""
        self._ask("domain_rename", domid, f"cannot be called {name!r}", None, name.encode())

    def update_config(self, domid: int, config: DomainConfig, config_text: str | None = None) -> None:
        """For a domain that xl supervises: its process takes the text from where xl config-update leaves it."""
        if config_text is None:
            raise NotSupported(f"domain {domid} is xl's, which takes a new configuration as text alone")
        data = ctypes.create_string_buffer(config_text.encode())
        self._ask("userdata_store", domid, "cannot get a new configuration", _XLS, data, len(data) - 1)

    def qemu_monitor_command(self, domid: int, command: str) -> str:
        """libxl_qemu_monitor_command."""
        output = ctypes.c_void_p()
        what = "has no device model that answers"
        self._ask("qemu_monitor_command", domid, what, command.encode(), ctypes.byref(output))
        return (self.library.take_string(output.value) or "").replace("\r\n", "\n")

    def _ask(self, function: str, domid: int, cannot: str, *arguments: object) -> None:
        with self.contexts.borrow() as context:
            self.require(context, domid)
            context.do(f"domain {domid} {cannot}", function, domid, *arguments)

    # -- inside

    def _states(self) -> States:
        with self.contexts.borrow() as context:
            found = list_of(context, "dominfo", "list_domain")
        return {
            facts["domid"]: (
                facts.get("uuid", ""),
                ShutdownReason(facts.get("shutdown_reason", "unknown")) if facts.get("shutdown") else None,
            )
            for facts in found
            # one that is dying is as good as gone, and nobody says when the last of it is
            if facts.get("domid") and not facts.get("dying")
        }

    def _check_measures(self) -> None:
        """An array's elements are as far apart as measured: each one says what libxl says of that domain alone."""
        with self.contexts.borrow() as context:
            for facts in list_of(context, "dominfo", "list_domain"):
                with context.new("dominfo") as alone:
                    status = context.call("domain_info", alone.memory, facts.get("domid", 0))
                    if status == 0 and alone.json().get("uuid") != facts.get("uuid"):
                        raise NotSupported(
                            f"the libxl of Xen 4.{self.library.minor} on this host is not like the ones xlpy knows",
                            "was it patched? please tell xlpy's makers",
                        )
