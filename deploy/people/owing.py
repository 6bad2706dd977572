"""What people know of who owes what of a complaint: by its outcome, or by what was answered to them since."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from deploy.people.calls import Json

# In turn: nobody begins with what comes after something that is missing. All else may be done at any time.
IN_TURN: Final = ("details", "judgement", "assignment", "finding", "proposal", "measure")
# By itself a service begins with these; before that nobody can do them.
CASE: Final = frozenset({"case_opened"})
BEGUN: Final = {
    "finding": frozenset({"investigation_opened", "investigation_joined", "investigation_resumed"}),
    "proposal": CASE,
    "measure": CASE,
}
# Whoever hears of one of these looks: what somebody owes may be another thing now. Of what people do
# themselves they are answered how things stand; and most of what services say changes nothing for people.
WAKING: Final = frozenset(
    {
        "complaint_recorded",
        "duplicate_suspected",
        "complaint_classified",
        "classification_contested",
        "enquiry_became_complaint",
        "complaint_assigned",
        "complaint_escalated",
        "complaint_joined_incident",
        "complaint_separated",
        "investigation_opened",
        "investigation_joined",
        "investigation_resumed",
        "finding_recorded",
        "case_opened",
        "case_handed_over",
        "responsibility_raised",
        "complaint_joined_improvement",
        "complaint_closed",
        "complaint_reopened",
        "notice_task_raised",
    }
)
WORTH_READING: Final = frozenset({"complaint_recorded", "duplicate_suspected", "notice_task_raised"})


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is missing of a complaint, and who owes it (see GET .../outcome)."""

    step: str
    what: str
    unit: str
    person: str
    about: str | None = None
    charge: str | None = None
    rests_on: str | None = None

    @property
    def key(self) -> str:
        """What tells it from the other things owed."""
        return f"{self.step}/{self.what}/{self.about}/{self.person}/{self.charge}/{self.rests_on}"

    @property
    def of_measure(self) -> bool:
        """Whether all complaints that a measure answers owe it together."""
        return self.what in ("completion", "verification")


def of_outcome(outcome: Json) -> Iterator[Owed]:
    """What an outcome says is missing."""
    for step in outcome["steps"]:
        for each in step["missing"]:
            by = each["owed_by"]
            yield Owed(
                step["step"],
                each["what"],
                by["unit"],
                by["person"],
                each["about"],
                each["charge"],
                each["rests_on"],
            )


def of_case(case: Json) -> Iterator[Owed]:
    """What a case says is missing of steps 5 and 7, as it is answered to whoever did something about it."""
    solution, by = case["solution"], case["answerable"]
    number = str(solution["proposal"])
    match solution["status"]:
        case "nothing_proposed" | "turned_down" if by:
            yield Owed("propose", "proposal", by["unit"], by["person"])
        case "proposed":
            for each in solution["waiting_for"]:
                yield Owed("propose", "approval", each["office"], each["person"], number)
        case "offered":
            yield Owed("propose", "customer_answer", by["unit"], by["person"], number)
        case "agreed":
            yield Owed("propose", "execution", by["unit"], by["person"], number)
    yield from _of_responsibility(case)


def _of_responsibility(case: Json) -> Iterator[Owed]:
    for each in case["undecided"]:
        by, rests_on = each["owed_by"], each["rests_on"]
        yield Owed("penalize", "decision", by["unit"], by["person"], each["person"], each["charge"], rests_on)
    for each in case["sanctions"]:
        if each["appeal"] == "pending":
            yield Owed("penalize", "appeal_decision", "", each["judge"], str(each["sanction"]))


def alike(name: str, said: Json) -> list[str]:
    """The complaints that an event says it may be the same as (REC-9)."""
    match name:
        case "complaint_recorded":
            return [str(each["duplicate_of"]) for each in said["possible_duplicates"]]
        case "duplicate_suspected":
            return [str(said["suspicion"]["duplicate_of"])]
        case _:
            return []


def of_measure(measure: Json) -> Iterator[Owed]:
    """What a measure owes next: to be put in place by its owner, then to be checked by another."""
    by, about = measure["owner"], measure["improvement_id"]
    if measure["status"] in ("planned", "reopened"):
        yield Owed("improve", "completion", by["unit"], by["person"], about)
    elif measure["status"] == "completed":
        by = measure["verifier"]
        yield Owed("improve", "verification", by["unit"], by["person"], about)


def next_of(found: Collection[Owed]) -> Iterator[Owed]:
    """What can be done now; a solution and a measure may be thought of side by side."""
    turns = [IN_TURN.index(each.what) for each in found if each.what in IN_TURN]
    turn = IN_TURN[min(turns)] if turns else None
    late = turn in IN_TURN[-2:]
    for each in found:
        if each.what not in IN_TURN or each.what == turn or (late and each.what in IN_TURN[-2:]):
            yield each


def has_begun(outcome: Json, owed: Owed) -> bool:
    """Whether the service where it is to be done has come to know of it."""
    if owed.what not in BEGUN:
        return True
    names = [each["what"] for step in outcome["steps"] for each in step["on_record"]]
    last = max((at for at, name in enumerate(names) if name in BEGUN[owed.what]), default=-1)
    before = max((at for at, name in enumerate(names) if name == "finding_recorded"), default=-1)
    return last > before if owed.what == "finding" else last >= 0
