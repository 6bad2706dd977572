"""Writes what is made from the code: events as AsyncAPI 3 with JSON Schemas, each service's OpenAPI."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

import services
from deploy.local.folder import Folder
from libs.events import bus
from libs.events.contracts import catalogue, registry
from libs.service import app, settings

ROOT: Final = Path(__file__).parent.parent
EVENTS: Final = Path("docs/events")
APIS: Final = Path("docs/api")
HEADERS: Final[Mapping[str, tuple[str, str]]] = {
    "ce-specversion": ("1.0", "CloudEvents version"),
    "ce-id": ("01a202fa-958d-736b-856f-b1be38f97381", "Event id: discard what came before with the same"),
    "ce-type": ("complaints.intake.complaint_recorded.v1", "Event type and version"),
    "ce-source": ("/main/intake", "Organisation and service"),
    "ce-subject": ("01a202fa-9590-7c41-9d0e-1b52f0a3c9d7", "Complaint id, where the event concerns one"),
    "ce-time": ("2026-11-22T01:12:00.482113Z", "When the log took the event (UTC)"),
    "ce-sequence": ("00000000000000004711", "Place in the organisation's log, and in this stream"),
    "traceparent": ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "W3C trace context"),
}
OPTIONAL_HEADERS: Final = ("ce-subject", "traceparent")


def main() -> int:
    """Write every document below docs/ that differs from what stands there."""
    documents = {**event_documents(), **api_documents()}
    for path, text in documents.items():
        target = ROOT / path
        if not target.exists() or target.read_text() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            sys.stdout.write(f"wrote {path}\n")
    return 0


def event_documents() -> dict[Path, str]:
    """The AsyncAPI document and one JSON Schema per event type, by path."""
    contracts = published()
    schemas = {EVENTS / "schemas" / f"{c.name}.json": _json(_payload_schema(c)) for c in contracts}
    return {EVENTS / "asyncapi.yaml": _yaml(_asyncapi(contracts)), **schemas}


def api_documents() -> dict[Path, str]:
    """The OpenAPI document of every service that exists, by path."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = _settings(Folder.at(Path(folder)))
        return {APIS / f"{name}.json": _json(_openapi(name, chosen)) for name in service_names()}


def service_names() -> list[str]:
    """The services of this checkout: every package below services/ that has an app."""
    (folder,) = services.__path__
    return sorted(path.parent.name for path in Path(folder).glob("*/app.py"))


def _openapi(name: str, chosen: settings.Settings) -> dict[str, Any]:
    service = importlib.import_module(f"services.{name}.app").SERVICE
    return app.create_app(service, chosen).openapi()


def _settings(folder: Folder) -> settings.Settings:
    """Enough to make an application that is never started: its keys are real, its servers are not there."""
    folder.prepare()
    return settings.load(
        {
            "REDRESS_DATABASE_URL": "postgresql://nobody@localhost/nowhere",
            "REDRESS_NATS_URL": "nats://localhost",
            "REDRESS_KEY_FILE": str(folder.key_file),
            "REDRESS_JWKS_FILE": str(folder.jwks_file),
            "REDRESS_ATTACHMENTS_DIR": str(folder.attachments),
        }
    )


def _payload_schema(contract: registry.Contract) -> dict[str, Any]:
    schema = contract.adapter.json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:redress:event:{contract.name}",
        **schema,
        "description": contract.summary,
    }


def _asyncapi(contracts: list[registry.Contract]) -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Redress events",
            "version": "1.0.0",
            "description": (
                "Domain events of complaint handling: CloudEvents 1.0 in NATS binary mode, one JetStream "
                "stream an organisation. The stream's sequence is the log's. Personal texts are sealed: "
                '`{"sealed": "<key id>:<base64>"}`.'
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": bus.CONTENT_TYPE,
        "channels": {name: _channel(name, versions) for name, versions in by_event(contracts).items()},
        "operations": {
            f"publish_{name}": {
                "action": "send",
                "summary": versions[-1].summary,
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name, versions in by_event(contracts).items()
        },
        "components": {
            "messages": {_key(c): _message(c) for c in contracts},
            "messageTraits": {"cloudEvent": {"headers": _headers()}},
            "parameters": {"organisation": {"description": "The organisation: the name of its log."}},
        },
    }


def published() -> list[registry.Contract]:
    """The contracts of the events that this release records, by name."""
    modules = {module.__name__ for module in catalogue.MODULES}
    return [c for c in registry.all_contracts() if c.event_class.__module__ in modules]


def by_event(contracts: Iterable[registry.Contract]) -> dict[str, list[registry.Contract]]:
    """The versions of each event, which share a subject, by `<service>.<event_name>`."""
    found: dict[str, list[registry.Contract]] = {}
    for contract in contracts:
        _, service, name, _ = contract.name.split(".")
        found.setdefault(f"{service}.{name}", []).append(contract)
    return found


def _channel(name: str, versions: list[registry.Contract]) -> dict[str, Any]:
    return {
        "address": f"complaints.{{organisation}}.{name}",
        "parameters": {"organisation": {"$ref": "#/components/parameters/organisation"}},
        "messages": {_key(c): {"$ref": f"#/components/messages/{_key(c)}"} for c in versions},
    }


def _message(contract: registry.Contract) -> dict[str, Any]:
    return {
        "name": contract.name,
        "title": contract.event_class.__name__,
        "summary": contract.summary,
        "contentType": bus.CONTENT_TYPE,
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-07",
            "schema": {"$ref": f"./schemas/{contract.name}.json"},
        },
    }


def _headers() -> dict[str, Any]:
    properties = {
        name: {"type": "string", "description": meaning, "examples": [example]}
        for name, (example, meaning) in HEADERS.items()
    }
    required = [name for name in HEADERS if name not in OPTIONAL_HEADERS]
    return {"type": "object", "required": required, "properties": properties}


def _key(contract: registry.Contract) -> str:
    return contract.name.replace(".", "_")


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=110)


if __name__ == "__main__":
    raise SystemExit(main())
