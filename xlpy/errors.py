"""Everything that can go wrong, as one family.

An error is raised where the fact is known, crosses the wire by its code, and is shown in one place.

    XlError                   failed             exit 1
     ├─ UsageError            usage              exit 2; the command line itself is wrong
     ├─ ConfigError           config             a config file or spec; carries file, line, column
     ├─ DomainNotFound        domain-not-found
     ├─ DomainExists          domain-exists      the name or uuid is in use
     ├─ DeviceNotFound        device-not-found
     ├─ InvalidState          invalid-state      the domain cannot do that in its present state
     ├─ NotSupported          not-supported      this engine cannot; names engine and operation
     ├─ NotEnoughMemory       no-memory
     ├─ PermissionRefused     permission         the peer or the kernel said no
     ├─ MissingProgram        missing-program    a program that has to be installed; the hint says how
     ├─ EngineError           engine             libxl's or QEMU's own failure, in words
     ├─ ConnectError          connect            no daemon, no host, no route
     │   └─ UnknownHostKey    unknown-host-key   only the user can say whether this is the host
     ├─ Interrupted           interrupted        asked, no answer: the outcome is unknown
     ├─ Aborted               aborted            given up on request; nothing changed
     └─ ProtocolError         protocol           the peer is broken or of another version
"""

from __future__ import annotations


class XlError(Exception):
    """Base of all errors a user may see.

    ``message`` says what is wrong (lower case, no full stop), ``hint`` what to try (the class
    may have a usual one), ``detail`` what the underlying software said, ``where`` a place such as ``web.cfg:12:8``.
    """

    code = "failed"
    exit_status = 1
    usual_hint: str | None = None

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        detail: str | None = None,
        where: str | None = None,
        exit_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.usual_hint
        self.detail = detail
        self.where = where
        if exit_status is not None:
            self.exit_status = exit_status

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class UsageError(XlError):
    code = "usage"
    exit_status = 2


class ConfigError(XlError):
    """A config file, spec or override that cannot be used; ``where`` is ``file:line:column``."""

    code = "config"


class DomainNotFound(XlError):
    code = "domain-not-found"
    usual_hint = "see the domains: xlpy list"


class DomainExists(XlError):
    code = "domain-exists"


class DeviceNotFound(XlError):
    code = "device-not-found"


class InvalidState(XlError):
    code = "invalid-state"


class NotSupported(XlError):
    code = "not-supported"


class NotEnoughMemory(XlError):
    code = "no-memory"


class PermissionRefused(XlError):
    code = "permission"


class MissingProgram(XlError):
    code = "missing-program"


class EngineError(XlError):
    code = "engine"


class ConnectError(XlError):
    code = "connect"


class UnknownHostKey(ConnectError):
    """A host behind SSH showed a key that no known_hosts file has. The detail ends with the key's fingerprint."""

    code = "unknown-host-key"

    @property
    def fingerprint(self) -> str:
        """As ssh shows it: ``SHA256:`` and the digest."""
        return (self.detail or "").rpartition(" ")[2]


class Interrupted(XlError):
    code = "interrupted"


class Aborted(XlError):
    code = "aborted"


class ProtocolError(XlError):
    code = "protocol"


ERRORS_BY_CODE: dict[str, type[XlError]] = {
    error.code: error
    for error in (
        XlError,
        UsageError,
        ConfigError,
        DomainNotFound,
        DomainExists,
        DeviceNotFound,
        InvalidState,
        NotSupported,
        NotEnoughMemory,
        PermissionRefused,
        MissingProgram,
        EngineError,
        ConnectError,
        UnknownHostKey,
        Interrupted,
        Aborted,
        ProtocolError,
    )
}


def file_hint(path: str, error: OSError) -> str | None:
    """What to try after the kernel refused to open or write the user's file; None if that is anybody's guess."""
    from errno import EACCES, EDQUOT, EISDIR, ENOENT, ENOSPC, ENOTDIR, EPERM, EROFS

    directory = path.rpartition("/")[0]
    if error.errno in (ENOENT, ENOTDIR):
        return f"is there a directory {directory}?" if directory else "check the name: ls"
    if error.errno in (EACCES, EPERM):
        return f"see who may: ls -ld {directory or '.'} {path}"
    if error.errno in (ENOSPC, EDQUOT):
        return "free some space, or choose another place"
    if error.errno == EROFS:
        return "choose a place that can be written to"
    return "name a file in it" if error.errno == EISDIR else None


def writing_failure(text: str) -> OSError | None:
    """The kernel's refusal to write more into a file, if that is what another program's text tells of."""
    import os
    from errno import EDQUOT, EFBIG, ENOSPC

    for number in (ENOSPC, EDQUOT, EFBIG):
        if os.strerror(number) in text:
            return OSError(number, os.strerror(number))
    return None


_PACKAGES = ("click", "paramiko", "rich", "yaml")


def lacking_package(error: BaseException) -> MissingProgram | None:
    """The error for a package of others that isn't installed, if that is what happened."""
    package = (error.name or "").split(".")[0] if isinstance(error, ImportError) else ""
    if package not in _PACKAGES:
        return None
    return MissingProgram(
        f"this needs Python's package {package}, which is not installed",
        f"on Debian: apt install python3-{package}",
        detail=str(error),
    )


def error_to_wire(error: XlError) -> dict[str, object]:
    """The error as a JSON object; what is unset is left out."""
    fields: dict[str, object] = {"code": error.code, "message": error.message}
    for name in ("hint", "detail", "where"):
        value = getattr(error, name)
        if value is not None:
            fields[name] = value
    if error.exit_status != type(error).exit_status:
        fields["exit_status"] = error.exit_status
    return fields


def error_from_wire(fields: dict[str, object]) -> XlError:
    """The same class that was raised on the other side; an unknown code becomes EngineError."""

    def text(name: str) -> str | None:
        value = fields.get(name)
        return value if isinstance(value, str) else None

    status = fields.get("exit_status")
    return ERRORS_BY_CODE.get(text("code") or "", EngineError)(
        text("message") or "the host reported a failure without a message",
        text("hint"),
        detail=text("detail"),
        where=text("where"),
        exit_status=status if isinstance(status, int) else None,
    )
