"""Contexts: libxl's handles on the host, and how they are called.

A call has a context for itself: libxl locks a context while it builds a domain, and a log of its own tells which call
complained of what. A context is made in milliseconds and kept for the next call.

Children: libxl forks (hotplug scripts, device models, pygrub, the helper that saves, and the last step of every
destruction), and several contexts do so at a time beside a process that may have children of its own. That is what
``sigchld_owner_libxl_always_selective_reap`` is for: libxl installs the handler and reaps nothing but its own. The
others would have one context only, or would have Python reap in a signal handler, which runs between two byte codes
of the main thread and so not while that waits in a call. All contexts must be set alike, hence here.

For the sake of those children no callback of libxl is ever in Python: a forked child that logs through one would wait
for an interpreter lock that no thread of its holds any more. The log goes through C into a file in memory.
"""

from __future__ import annotations

import ctypes
import os
import threading

from xlpy.engine.libxl.library import Library
from xlpy.engine.libxl.said import failure
from xlpy.errors import EngineError, XlError
from xlpy.model.json_text import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

_KEPT = 4
ABORTED = -22  # ERROR_ABORTED: that was asked for before
_SPARE_BYTES = 64  # behind a structure, against a libxl that was patched


class _ChildHooks(ctypes.Structure):
    """libxl_childproc_hooks."""

    _fields_ = (
        ("chldowner", ctypes.c_int),
        ("fork_replacement", ctypes.c_void_p),
        ("reaped_callback", ctypes.c_void_p),
    )


_SELECTIVE_REAP = _ChildHooks(3, None, None)


def own_children(library: Library, context: int) -> None:
    """Have a context reap its own children, as all contexts of a process must."""
    library.set_child_mode(context, _SELECTIVE_REAP)


class Context:
    """A libxl_ctx with its log. One thread at a time, but for ``abort``."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._log = os.memfd_create("libxl log")
        copy = os.dup(self._log)
        os.set_inheritable(copy, False)
        self._stream, self._logger = library.open_logger(copy)
        self._context = library.open_context(self._logger)
        own_children(library, self._context)

    def close(self) -> None:
        """Free it."""
        self.library.close_context(self._context, self._logger, self._stream)
        os.close(self._log)

    @property
    def pointer(self) -> int:
        """The libxl_ctx."""
        return self._context

    def call(self, name: str, *arguments: Any) -> Any:
        """What libxl_NAME returns; the arguments that ask for asynchrony are added."""
        function, letters = self.library.function(name)
        self.forget()
        return function(self._context, *arguments, *(None,) * letters.count("o"))

    def do(self, what: str, name: str, *arguments: Any) -> int:
        """Call libxl_NAME for its effect. Raises the XlError that its status and log amount to: "WHAT: why"."""
        status: int = self.call(name, *arguments)
        if status < 0:
            raise self.failure(what, status)
        return status

    def abort(self) -> None:
        """From another thread: have the call that runs here end soon (libxl_ao_abort). Nothing happens where there is none yet."""
        function, _ = self.library.function("ao_abort")
        function(self._context, None)

    def failure(self, what: str, status: int = -3) -> XlError:
        """The error of the last call."""
        return failure(what, status, self.said())

    def said(self) -> str:
        """What was logged since the last call began."""
        size = os.fstat(self._log).st_size
        return os.pread(self._log, size, 0).decode("utf-8", "replace")

    def forget(self) -> None:
        """Empty the log."""
        os.ftruncate(self._log, 0)

    # -- structures

    def new(self, structure: str, value: object = None) -> Struct:
        """A structure of this name (``with``), of what its JSON form says. Raises EngineError."""
        return Struct(self, structure, value)

    def json_at(self, structure: str, pointer: Any) -> dict[str, Any]:
        """The JSON form of a structure in memory."""
        text = self.library.take_string(self.library.generated(structure, "t")(self._context, pointer))
        if text is None:
            raise EngineError(f"libxl cannot put a {structure} into words")
        value: dict[str, Any] = loads(text)
        return value

    def array(self, structure: str, pointer: int | None, count: int) -> Array:
        """An array that libxl has handed out, which is freed at the end (``with``)."""
        return Array(self, structure, pointer, count)

    def listed(self, structure: str, pointer: int | None, count: int) -> list[dict[str, Any]]:
        """The JSON forms of an array that libxl has handed out, which is freed."""
        with self.array(structure, pointer, count) as array:
            return [self.json_at(structure, each) for each in array.addresses]


class Array:
    """Structures of libxl's in memory of its own. ``addresses`` are where they are."""

    def __init__(self, context: Context, structure: str, pointer: int | None, count: int) -> None:
        self._library = context.library
        self._structure = structure
        self._pointer = pointer
        size = self._library.sizes[structure]
        self.addresses = range(pointer, pointer + count * size, size) if pointer else range(0)

    def __enter__(self) -> Array:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What libxl's own *_list_free functions do, some of which older versions lack."""
        dispose = self._library.generated(self._structure, "d")
        for address in self.addresses:
            dispose(address)
        self._library.libc.free(self._pointer)


class Struct:
    """A structure of libxl's in memory of ours; its insides are libxl's and freed at the end (``with``)."""

    def __init__(self, context: Context, structure: str, value: object = None) -> None:
        library = context.library
        self._context = context
        self._structure = structure
        self.memory = ctypes.create_string_buffer(library.sizes[structure] + _SPARE_BYTES)
        library.generated(structure, "i")(self.memory)
        if value is not None:
            context.forget()
            text = dumps(value).encode()
            status = library.generated(structure, "f")(context.pointer, self.memory, text)
            if status:
                self.dispose()
                raise context.failure(f"libxl does not understand this {structure}", status)

    def json(self) -> dict[str, Any]:
        """What is in it."""
        return self._context.json_at(self._structure, self.memory)

    def __enter__(self) -> Struct:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dispose()

    def dispose(self) -> None:
        """Free what libxl has put into it."""
        dispose = self._context.library.generated(self._structure, "d")
        if dispose is not None:
            dispose(self.memory)


class Contexts:
    """Contexts for all threads: ``with contexts.borrow() as context``."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._idle: list[Context] = []
        self._lock = threading.Lock()

    def borrow(self) -> _Borrowed:
        """A context for this thread alone."""
        return _Borrowed(self)

    def take(self) -> Context:
        """A context that is the caller's until it gives it back."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Context(self.library)

    def close(self) -> None:
        """Free those that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for context in idle:
            context.close()

    def give_back(self, context: Context) -> None:
        """Keep it for the next one."""
        with self._lock:
            if len(self._idle) < _KEPT:
                self._idle.append(context)
                return
        context.close()


class _Borrowed:
    def __init__(self, contexts: Contexts) -> None:
        self._contexts = contexts
        self._context = contexts.take()

    def __enter__(self) -> Context:
        return self._context

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._contexts.give_back(self._context)
