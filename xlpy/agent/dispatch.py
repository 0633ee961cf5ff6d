"""A request becomes a call of an engine's method, its result or error an answer.

This is the edge of the process: the one place that catches every exception. What it doesn't expect goes to the log with
its traceback and to the client as a failure of the code ``failed``.
"""

from __future__ import annotations

import logging
import os

from xlpy.engine.base import OPERATIONS, WIRE_CLASSES
from xlpy.errors import NotSupported, ProtocolError, XlError, error_to_wire
from xlpy.model.codec import to_wire
from xlpy.protocol.messages import Failure, Reply
from xlpy.protocol.signature import Signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Union

    from xlpy.engine.base import Engine
    from xlpy.model.migration import Report
    from xlpy.protocol.messages import Request

    Answer = Union[Reply, Failure]

log = logging.getLogger("xlpyd")
_signatures = {name: Signature(method, WIRE_CLASSES) for name, method in OPERATIONS.items()}


def answer(
    request: Request,
    engine: Engine,
    stream: int | None,
    report: Report,
) -> Answer:
    """Do what the request asks and say how it went; never raises. ``stream`` is closed in any case."""
    try:
        try:
            method, arguments = _prepare(request, engine, stream, report)
        except XlError:
            if stream is not None:
                os.close(stream)
            raise
        result = method(**arguments)
        return Reply(id=request.id, value=to_wire(result))
    except XlError as error:
        return Failure(id=request.id, error=error_to_wire(error))
    except Exception as error:
        log.exception("%s failed unexpectedly", request.operation)
        unexpected = XlError(
            f"xlpyd failed unexpectedly in {request.operation}: {type(error).__name__}: {error}",
            "this is a bug; the log of xlpyd has the traceback",
        )
        return Failure(id=request.id, error=error_to_wire(unexpected))


def _prepare(
    request: Request,
    engine: Engine,
    stream: int | None,
    report: Report,
) -> tuple[Callable[..., object], dict[str, Any]]:
    """The method to call and its arguments. Raises ProtocolError or NotSupported."""
    signature = _signatures.get(request.operation)
    if signature is None:
        raise NotSupported(
            f"this host's xlpyd doesn't know the operation {request.operation!r:.60}",
            "is its xlpy older than yours?",
        )
    arguments = signature.decode_arguments(request.arguments)
    if signature.takes_stream != (stream is not None):
        raise ProtocolError(
            f"{signature.name} came {'without its' if signature.takes_stream else 'with a'} stream"
        )
    if stream is not None:
        arguments["stream"] = stream
    if signature.takes_progress and request.progress:
        arguments["progress"] = report
    return getattr(engine, signature.name), arguments
