"""libxenlight as found on this host: loaded, checked against the table of prototypes, its structures measured.

No layout of a structure is known here. Contents cross as JSON, and a structure's size is measured: its ``_init``
zeroes all of it, so in memory filled with another byte the last byte that changed is its last. What is left are the
types that libxl promises never to change: a domid, a uuid of 16 bytes, a bitmap of a size and a pointer.
"""

from __future__ import annotations

import ctypes
import logging
import os

from xlpy.engine.libxl.prototypes import (
    FUNCTIONS,
    NEWEST,
    OLDEST,
    SINCE,
    STRUCTURES,
    TESTED,
    wrong_machine,
)
from xlpy.errors import EngineError, MissingProgram, NotSupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

log = logging.getLogger("xlpyd")

_XEN_VERSION = "/sys/hypervisor/version/"
_POISON = 0xA5
_LARGEST_STRUCTURE_BYTES = 65536


class Bitmap(ctypes.Structure):
    """libxl_bitmap: ``size`` bytes at ``map``, bit 0 first."""

    _fields_ = (("size", ctypes.c_uint32), ("map", ctypes.c_void_p))


class Uuid(ctypes.Structure):
    """libxl_uuid."""

    _fields_ = (("bytes", ctypes.c_uint8 * 16),)


_KINDS: dict[str, Any] = {
    "i": ctypes.c_int,
    "u": ctypes.c_uint32,
    "q": ctypes.c_uint64,
    "b": ctypes.c_char,
    "y": ctypes.c_uint8,
    "s": ctypes.c_char_p,
    "p": ctypes.c_void_p,
    "o": ctypes.c_void_p,
    "B": Bitmap,
    "U": Uuid,
    "v": None,
}


class Library:
    """The functions of libxenlight. Raises MissingProgram without it, NotSupported for a version that isn't known."""

    def __init__(self) -> None:
        self.minor = _running_minor()
        self._machine = os.uname().machine
        name = f"libxenlight.so.4.{self.minor}"
        if not OLDEST <= self.minor <= NEWEST:
            raise NotSupported(f"xlpy knows Xen 4.{OLDEST} to 4.{NEWEST}, and Xen 4.{self.minor} runs here")
        try:
            self._light = ctypes.CDLL(name)
            self._toollog = ctypes.CDLL("libxentoollog.so.1")
        except OSError as error:
            raise MissingProgram(
                f"Xen 4.{self.minor} runs here without its toolstack library {name}",
                f"install it: xen-utils-4.{self.minor} in Debian, xen-tools or xen-runtime elsewhere",
                detail=str(error),
            ) from error
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.free.argtypes = [ctypes.c_void_p]
        self._functions = {
            function: self._declare(function, letters)
            for function, letters in FUNCTIONS.items()
            if self._is_new_enough(function) and not wrong_machine(function, self._machine)
        }
        self._structures = {
            (structure, what): self._declare_generated(structure, what)
            for structure, extras in STRUCTURES.items()
            if self._is_new_enough(structure)
            for what in f"i{extras}"
        }
        self.sizes = {
            structure: self._measure(structure) for structure, what in self._structures if what == "i"
        }
        self._declare_own()
        if self.minor not in TESTED:
            log.warning("Xen 4.%d: xlpy is tested with %s", self.minor, tested_versions())

    def function(self, name: str) -> tuple[Any, str]:
        """A function of the table, and its letters. Raises NotSupported where this version doesn't have it."""
        try:
            return self._functions[name], FUNCTIONS[name]
        except KeyError:
            other = wrong_machine(name, self._machine)
            raise NotSupported(
                f"libxl of Xen 4.{self.minor} has no libxl_{name}{' on ' + self._machine if other else ''}",
                "other machines have it" if other else f"it came with Xen 4.{SINCE[name]}",
            ) from None

    def has(self, name: str) -> bool:
        """Whether this version has the function."""
        return name in self._functions

    def generated(self, structure: str, what: str) -> Any:
        """One of a structure's functions: i init, d dispose, t to_json, f from_json."""
        return self._structures.get((structure, what))

    def take_string(self, pointer: int | None) -> str | None:
        """The text at a pointer that libxl has handed out, which is freed."""
        if not pointer:
            return None
        try:
            return ctypes.string_at(pointer).decode("utf-8", "surrogateescape")
        finally:
            self.libc.free(pointer)

    def open_logger(self, file: int) -> tuple[int, int]:
        """A stdio stream of this descriptor, which it owns, and a xentoollog_logger that writes lines to it."""
        stream = self.libc.fdopen(file, b"a")
        level, flags = 4, 0o20  # XTL_PROGRESS, XTL_STDIOSTREAM_PROGRESS_NO_CR
        logger = self._toollog.xtl_createlogger_stdiostream(stream, level, flags)
        if not logger:
            raise EngineError("libxentoollog gives no logger")
        return stream, logger

    def open_context(self, logger: int) -> int:
        """A libxl_ctx. Raises EngineError."""
        context = ctypes.c_void_p()
        status = self._light.libxl_ctx_alloc(ctypes.byref(context), 0, 0, logger)
        if status or not context.value:
            raise EngineError(
                f"libxl gives no context (error {status})",
                "is /proc/xen mounted, does xenstored run, and are you root?",
            )
        return context.value

    def close_context(self, context: int, logger: int, stream: int) -> None:
        """Free a context and what it logs to."""
        self._light.libxl_ctx_free(context)
        self._toollog.xtl_logger_destroy(logger)
        self.libc.fclose(stream)

    # -- inside

    def _is_new_enough(self, name: str) -> bool:
        return self.minor >= SINCE.get(name, 0)

    def _declare(self, name: str, letters: str) -> Any:
        function = self._symbol(f"libxl_{name}")
        function.restype = _KINDS[letters[0]]
        function.argtypes = [ctypes.c_void_p, *(_KINDS[letter] for letter in letters[1:])]
        return function

    def _declare_generated(self, structure: str, what: str) -> Any:
        suffix = {"i": "init", "d": "dispose", "t": "to_json", "f": "from_json"}[what]
        function = self._symbol(f"libxl_{structure}_{suffix}")
        pointer = ctypes.c_void_p
        function.restype = {"t": pointer, "f": ctypes.c_int}.get(what)
        function.argtypes = {"t": [pointer] * 2, "f": [pointer, pointer, ctypes.c_char_p]}.get(
            what, [pointer]
        )
        return function

    def _declare_own(self) -> None:
        """Functions that are no operations on a context."""
        pointer = ctypes.c_void_p
        self.libc.fdopen.restype = pointer
        create = self._toollog.xtl_createlogger_stdiostream
        create.restype, create.argtypes = pointer, [pointer, ctypes.c_int, ctypes.c_uint]
        for function in (self._symbol("libxl_ctx_free"), self._toollog.xtl_logger_destroy, self.libc.fclose):
            function.argtypes = [pointer]
        self._symbol("libxl_ctx_alloc").argtypes = [pointer, ctypes.c_int, ctypes.c_uint, pointer]
        self._symbol("libxl_childproc_setmode").argtypes = [pointer, pointer, pointer]
        self._light.libxl_childproc_setmode.restype = None

    def set_child_mode(self, context: int, hooks: Any) -> None:
        """libxl_childproc_setmode; ``hooks`` has to outlive the context."""
        self._light.libxl_childproc_setmode(context, ctypes.byref(hooks), None)

    def _symbol(self, name: str) -> Any:
        try:
            return getattr(self._light, name)
        except AttributeError:
            raise NotSupported(
                f"the libxl of Xen 4.{self.minor} on this host has no {name}",
                f"xlpy is tested with Xen {tested_versions()}",
            ) from None

    def _measure(self, structure: str) -> int:
        memory = (ctypes.c_ubyte * _LARGEST_STRUCTURE_BYTES)()
        ctypes.memset(memory, _POISON, _LARGEST_STRUCTURE_BYTES)
        self.generated(structure, "i")(memory)
        return len(bytes(memory).rstrip(bytes((_POISON,))))


def tested_versions() -> str:
    """The versions of Xen that this engine was proven on."""
    return ", ".join(f"4.{minor}" for minor in TESTED)


def _running_minor() -> int:
    """The N of the Xen 4.N that runs here. Raises NotSupported where none does."""
    try:
        with open(f"{_XEN_VERSION}major", encoding="ascii") as file:
            major = int(file.read())
        with open(f"{_XEN_VERSION}minor", encoding="ascii") as file:
            minor = int(file.read())
    except (OSError, ValueError) as error:
        raise NotSupported("no Xen runs below this host", "the qemu engine needs none") from error
    if major != 4:
        raise NotSupported(f"xlpy knows Xen 4, and Xen {major}.{minor} runs here")
    return minor
