"""Contacts made up by a seed: goods and people, Chinese and English, whole and incomplete."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any, Final

CUSTOMERS: Final = 60
PRODUCTS: Final = 25
SERIAL_NUMBERS: Final = 80
PARTS: Final = ("LED-T8-18W", "BAT-48V", "LAMP-B22", "DRIVER-20W", "CORD-3M", "STRIP-5M", "TYR-16")
CHANNELS: Final = ("phone", "letter", "in_person", "email", "web", "chat", "dealer", "internal")
DEMANDS: Final = ("repair", "replacement", "refund", "compensation", "apology", "explanation")
STAFF: Final = ("sales-officer", "station-north-officer", "production-officer", "after-sales-head")
WORDS: Final = (
    "开箱发现灯管不亮，无法使用。",
    "使用两天后灯具闪烁。",
    "维修后同一故障再次出现。",
    "The tube flickers after an hour.",
    "The lamp stalled and became unusable.",
    "One unit started a small fire; nobody was hurt.",
    "The parts were damaged in transit.",
    "The contract says delivery within ten days.",
)
RUDE: Final = ("服务人员态度恶劣，与我争吵。", "The technician swore at me and asked me for money.")


def contact(number: int, at: datetime, chance: random.Random) -> dict[str, Any]:
    """The body of `POST /v1/complaints` for contact `number` (from 1), as it comes in at that time."""
    kind = chance.choices(("product", "service", "person", "unit"), (80, 10, 7, 3))[0]
    return {
        "contact": "enquiry" if chance.random() < 0.04 else "complaint",
        "source": {"system": "simulation", "reference": str(number)},
        "channel": chance.choice(CHANNELS),
        "received_at": at.isoformat(),
        "occurred_at": (at - timedelta(days=chance.randint(0, 20))).isoformat(),
        "complainant": _complainant(chance),
        "respondent": _respondent(kind, chance),
        "product": _product(at, chance) if kind == "product" else None,
        "narrative": chance.choice(WORDS if kind == "product" else RUDE + WORDS[:2]),
        "demand": _demand(chance),
    }


def _complainant(chance: random.Random) -> dict[str, Any]:
    customer = chance.randint(1, CUSTOMERS)
    return {
        "name": f"示例顾客 {customer}",
        "phone": f"000-{customer:04d}",
        "email": f"customer-{customer}@example.org" if customer % 5 else None,
        "address": chance.choice(("北京 1 号", "上海 2 号", "广东 3 号", "四川 4 号")),
        "language": chance.choice(("zh-CN", "en")),
        "customer_id": f"C-{customer}" if customer % 7 else None,
    }


def _respondent(kind: str, chance: random.Random) -> dict[str, Any]:
    reference = {
        "product": f"P-{chance.randint(1, PRODUCTS)}",
        "service": "installation",
        "person": chance.choice(STAFF),
        "unit": "station-east",
    }[kind]
    return {"kind": kind, "reference": reference}


def _product(at: datetime, chance: random.Random) -> dict[str, Any]:
    """Two in three lack something (REC-2); some pieces come back with the same serial number (INV-6)."""
    whole: dict[str, Any] = {
        "part_number": chance.choice(PARTS),
        "batch": f"B{chance.randint(1, 60)}" if chance.random() < 0.3 else None,
        "serial_number": f"SN-{chance.randint(1, SERIAL_NUMBERS)}" if chance.random() < 0.6 else None,
        "order_number": f"SO-{chance.randint(1, 9999)}",
        "delivered_on": (at - timedelta(days=chance.choice((5, 30, 90, 200, 500)))).date().isoformat(),
        "quantity": 40,
        "defective_quantity": chance.choices((0, 1, 3, 12), (4, 60, 26, 10))[0],
        "requirement": "no flicker",
    }
    left_out = chance.sample(("order_number", "delivered_on", "requirement"), k=chance.choice((0, 1, 2)))
    return {name: value for name, value in whole.items() if name not in left_out}


def _demand(chance: random.Random) -> dict[str, Any]:
    kind = chance.choices((*DEMANDS, "improvement"), (30, 25, 15, 10, 5, 10, 5))[0]
    amount = str(chance.choice((80, 300, 3000)))
    asked = {"amount": amount, "currency": "CNY"} if kind in ("refund", "compensation") else None
    return {"kind": kind, "text": "请尽快处理", "money": asked}
