"""At a terminal only what went wrong is logged, and never among the answers."""

import logging
import sys

import structlog


def quietly() -> None:
    """What libraries log belongs to services: here nothing below an error, on standard error."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is then
    )
