"""Real complaints for the demonstration, as requests; made up from a seed where their file is absent."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parents[2] / ".." / "shared" / "data" / "vehicle_complaints.ndjson"
SEED: Final = 7
MADE_UP_REPORTS: Final = 3556
_FIRST_DAY: Final = date(2020, 1, 1)
_PARTS: Final = (
    "DOOR LATCH",
    "REAR WINDOW",
    "TAILGATE LATCH",
    "FRONT WIPER MOTOR",
    "DOOR CHECK ARM",
    "MOONROOF GLASS",
)
_FAULTS: Final = ("BROKEN", "LOOSE / DETACHED", "FROZEN", "CRACKED", "WATER LEAK", "MALFUNCTION")
_MODELS: Final = ("HATCHBACK", "SEDAN", "PICKUP", "VAN", "COUPE")
_STATES: Final = ("Ohio", "Texas", "Maine", "Oregon", "Florida", "Michigan")
_SENTENCES: Final = (
    "The {part} was found {fault} in the morning.",
    "It happened at low speed, without any impact.",
    "The dealer could not say when a replacement would arrive.",
    "The same {part} had been repaired half a year before.",
    "With the {part} {fault} the vehicle could not be used safely.",
    "Other owners of the {model} report the same.",
)
Report = dict[str, Any]


def reports(path: Path, count: int | None = None) -> tuple[list[Report], bool]:
    """The first `count` reports (all when left out), oldest first, and whether they are real ones."""
    real = path.exists()
    source = _read(path) if real else _made_up(random.Random(SEED))
    return [report for report, _ in zip(source, _numbers(count), strict=False)], real


def request(report: Report) -> dict[str, Any]:
    """The body of `POST /v1/complaints` for one report; the owner, whom it does not name, is derived."""
    number = report["odi_number"]
    product = " ".join(str(report[key]) for key in ("make", "model", "model_year"))
    return {
        "source": {"system": "vehicle-safety", "reference": str(number)},
        "channel": "web",
        "received_at": f"{report['received']}T12:00:00+00:00",
        "occurred_at": f"{report['failed']}T00:00:00+00:00" if report["failed"] else None,
        "complainant": {
            "name": f"Owner {number}",
            "email": f"owner-{number}@example.org",
            "preferred_channel": "email",
            "language": "en",
            "customer_id": _owner(report),
        },
        "respondent": {"kind": "product", "reference": product, "name": product.title()},
        "product": {"part_number": report["component"], "quantity": 1, "defective_quantity": 1},
        "narrative": report["narrative"],
        "demand": {"kind": "repair", "text": report["failure"]},
    }


def _owner(report: Report) -> str | None:
    """One vehicle is one owner: same place, model, year and exact mileage. Else nobody can tell."""
    if not report["mileage"]:
        return None
    vehicle = "|".join(str(report[key]) for key in ("state", "make", "model", "model_year", "mileage"))
    return f"owner-{hashlib.sha256(vehicle.encode()).hexdigest()[:12]}"


def _numbers(count: int | None) -> Iterator[int]:
    return iter(range(count if count is not None else 1 << 31))


def _read(path: Path) -> Iterator[Report]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _made_up(chance: random.Random) -> Iterator[Report]:
    for number in range(MADE_UP_REPORTS):
        received = _FIRST_DAY + timedelta(days=number * 1800 // MADE_UP_REPORTS)
        words = {
            "part": chance.choice(_PARTS),
            "fault": chance.choice(_FAULTS),
            "model": chance.choice(_MODELS),
        }
        sentences = chance.sample(_SENTENCES, k=chance.randint(2, len(_SENTENCES)))
        yield {
            "odi_number": 90_000_000 + number,
            "received": received.isoformat(),
            "failed": (received - timedelta(days=chance.randint(0, 60))).isoformat(),
            "make": "MADE-UP",
            "model": words["model"],
            "model_year": chance.randint(2008, 2024),
            "component": words["part"],
            "failure": words["fault"],
            "mileage": chance.choice((None, chance.randint(1_000, 200_000))),
            "state": chance.choice(_STATES),
            "narrative": " ".join(sentences).format(**{k: v.lower() for k, v in words.items()}),
        }
