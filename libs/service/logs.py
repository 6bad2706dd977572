"""Logs: one JSON object a line, from our code and from libraries alike, without personal data."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any, Final

import pydantic_core
import structlog

from libs.service import telemetry

FRAMES_MAX: Final = 20


def configure(level: str, service: str) -> None:
    """Write to standard output, from `level` (a name) on; libraries from warnings on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace,
        _with_place_of_error,
    ]

    def with_service(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        return {"service": service, **event}

    render = structlog.processors.JSONRenderer(serializer=_to_json)
    structlog.configure(
        processors=[*shared, with_service, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    render_text = structlog.processors.JSONRenderer(serializer=lambda event, **_: _to_json(event).decode())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                with_service,
                render_text,
            ],
        )
    )
    # uvicorn repeats every bug after our handler has logged it, with the error's text: maybe personal.
    handler.addFilter(lambda record: not record.getMessage().startswith("Exception in ASGI application"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))


def _to_json(event: Any, **_: Any) -> bytes:
    return pydantic_core.to_json(event, fallback=repr)


def _with_trace(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    if trace_id := telemetry.trace_id():
        event["trace_id"] = trace_id
    return event


def _with_place_of_error(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """An error by its type and place in the code: its text and its variables may hold personal data."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
        event["error"] = type(error).__name__
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event
