"""How events and verdicts are told: lines for people, JSON for programs."""

import json
from typing import Any
from urllib.parse import unquote

from libs.events import bus, ledger
from libs.events.contracts import registry
from libs.events.envelope import Envelope, Recorded


def verdict(found: ledger.Verdict) -> str:
    if found.fault is None:
        return f"{found.log}: {found.events:,} events, unaltered; the hash of the last is {found.hash.hex()}"
    return f"{found.log}: ALTERED. First bad seq: {found.fault.seq}: {found.fault.what}"


def verdict_as_json(found: ledger.Verdict) -> str:
    fault = found.fault
    return json.dumps(
        {
            "log": found.log,
            "sound": found.sound,
            "events": found.events,
            "hash": found.hash.hex(),
            "first_bad_seq": fault.seq if fault else None,
            "what": fault.what if fault else None,
        }
    )


def stored(envelope: Envelope) -> Any:
    """The fields as they are stored, personal texts sealed; what is no JSON, as text."""
    try:
        return json.loads(envelope.body)
    except ValueError:
        return envelope.body.decode(errors="backslashreplace")


def opened(recorded: Recorded[Any]) -> Any:
    """The fields as today's contract has them, personal texts opened where their key still exists."""
    return registry.contract_of(type(recorded.event)).adapter.dump_python(recorded.event, mode="json")


def event(envelope: Envelope, fields: Any) -> str:
    """Two lines: where, when, what and who; then the fields."""
    place = f"{envelope.stream} version {envelope.version}"
    head = f"{envelope.seq}  {envelope.at.isoformat()}  {envelope.type}  by {envelope.actor}  ({place})"
    return f"{head}\n    {json.dumps(fields, ensure_ascii=False)}"


def event_as_json(envelope: Envelope, fields: Any) -> str:
    """One line: a CloudEvent in JSON, with the attributes it has on the bus."""
    headers = bus.to_message(envelope).headers
    attributes = {
        name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name != "content-type"
    }
    return json.dumps(attributes | {"datacontenttype": bus.CONTENT_TYPE, "data": fields}, ensure_ascii=False)
