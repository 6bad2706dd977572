"""Imports every module of contracts, so that all event types are known to whoever imports this one."""

from __future__ import annotations

from libs.events.contracts import (
    assign,
    classify,
    clock,
    improve,
    intake,
    investigate,
    notify,
    penalize,
    policy,
    privacy,
    propose,
    term,
)

MODULES = (
    assign,
    classify,
    clock,
    improve,
    intake,
    investigate,
    notify,
    penalize,
    policy,
    privacy,
    propose,
    term,
)
