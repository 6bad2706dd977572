"""Commands of intake that people give over HTTP, in their situations, and those that exclude each other."""

from dataclasses import replace
from typing import Any

from tests.unit.callers import Called
from tests.unit.intake_situations import EARLIER, HISTORIES, OTHER, THIS

WHY = {"reason": "the customer called"}
FOUNDED = {
    "kind": "product_quality",
    "nature": "quality_anomaly",
    "severity": "serious",
    "founded": {"value": True, "reason": "the photo shows it"},
    "demand_reasonable": {"value": True, "reason": "it is in warranty"},
}


def _called(path: str, situation: str, too_early: str, code: str, body: Any = None, **said: Any) -> Called:
    return Called(
        "intake",
        f"complaints/{THIS}/{path}",
        given=HISTORIES[situation],
        too_early=HISTORIES[too_early],
        code=code,
        body=body,
        **said,
    )


MERGE = {"into": str(EARLIER), **WHY}
SEPARATE = {"separate_from": str(EARLIER), **WHY}
TO_SALES = {"unit": "sales", "person": "sales-officer", "reason": "sales sold it"}

CALLS: dict[str, Called] = {
    "amend": _called("amendments", "recorded", "merged", "already_merged", {"narrative": "四支", **WHY}),
    "convert": _called("conversion", "enquiry", "withdrawn", "already_withdrawn", WHY),
    "withdraw": _called("withdrawal", "recorded", "merged", "already_merged", WHY),
    "merge": _called("merge", "recorded", "withdrawn", "already_withdrawn", MERGE),
    "separate": _called("separate", "suspected", "recorded", "not_linked", SEPARATE),
    "undo a merge": _called("separate", "merged", "recorded", "not_linked", SEPARATE),
    "judge": _called("classification", "ready", "waiting", "details_missing", FOUNDED),
    "judge an enquiry": _called("classification", "ready", "enquiry", "not_a_complaint", FOUNDED),
    "contest": _called(
        "contest", "unfounded", "ready", "not_unfounded", {"new_facts": "a second lamp failed"}
    ),
    "assign": _called("assignment", "founded", "ready", "not_yet_judged", TO_SALES),
    "assign what is unfounded": _called("assignment", "founded", "unfounded", "judged_unfounded", TO_SALES),
    "escalate": _called("escalation", "assigned", "founded", "not_yet_assigned", {"tried": "two visits"}),
    "attach": _called(
        "attachments?filename=note.txt", "recorded", "merged", "already_merged", file="三支灯管闪烁".encode()
    ),
}

# Two people who would have it otherwise, whoever comes first.
RIVALS: dict[str, tuple[Called, Called]] = {
    "merged and withdrawn": (CALLS["merge"], CALLS["withdraw"]),
    "merged into two": (CALLS["merge"], replace(CALLS["merge"], body={**MERGE, "into": str(OTHER)})),
    "two contests": (
        CALLS["contest"],
        replace(CALLS["contest"], body={"new_facts": "it was never opened"}, by="sales-officer"),
    ),
}
