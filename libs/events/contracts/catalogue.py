"""Imports every module of contracts, so that all event types are known to whoever imports this one."""

from __future__ import annotations

from libs.events.contracts import clock, intake, investigate, policy, privacy

MODULES = (clock, intake, investigate, policy, privacy)
