"""What relay and consumers count, for Prometheus; labels name logs and consumers, never people."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

PUBLISHED: Final = Counter("redress_relay_published", "Events carried to the bus", ["log"])
RELAY_LAG: Final = Gauge("redress_relay_lag", "Events of the log that are not on the bus yet", ["log"])
RELAY_FAILURES: Final = Counter("redress_relay_failures", "Failed attempts to carry events", ["log"])
REFILLS: Final = Counter("redress_stream_refills", "Streams that disagreed with the log", ["log"])

HANDLED: Final = Counter("redress_consumer_handled", "Events handled", ["consumer", "log"])
RETRIES: Final = Counter("redress_consumer_retries", "Failed attempts", ["consumer", "log"])
REDELIVERIES: Final = Counter("redress_consumer_redeliveries", "Events delivered again", ["consumer", "log"])
CONSUMER_LAG: Final = Gauge("redress_consumer_lag", "Events not handled yet", ["consumer", "log"])
PARKED: Final = Gauge("redress_consumer_parked", "Events that wait for a person", ["consumer", "log"])
