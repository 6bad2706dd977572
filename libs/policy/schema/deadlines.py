"""What a pack says about time: how long each step and errand may take, and when it warns (SLA)."""

from __future__ import annotations

from enum import StrEnum

from libs.events.contracts.handling import Severity, Step
from libs.policy.schema.part import Clause, Part, Share, Time


class Errand(StrEnum):
    """What has a deadline and is no step."""

    CONTRIBUTION = "contribution"
    SUPPLIER = "supplier"
    APPROVAL = "approval"
    SOLUTION_NOTICE = "solution_notice"
    UNFOUNDED_REPLY = "unfounded_reply"
    EXECUTION = "execution"
    STATEMENT = "statement"
    APPEAL = "appeal"
    MEASURE = "measure"
    VERIFICATION = "verification"


class Deadline(Clause):
    """The time allowed by severity; `pausable` stops while the customer is waited for (SLA-9)."""

    minor: Time
    serious: Time
    major: Time
    pausable: bool = True

    def allowed(self, severity: Severity) -> Time:
        """The time it gives at that severity."""
        found: Time = getattr(self, severity)
        return found


class StepDeadlines(Part):
    """One for every step after recording; the first two count from recording, the others from assignment."""

    classify: Deadline
    assign: Deadline
    investigate: Deadline
    propose: Deadline
    notify: Deadline
    penalize: Deadline
    improve: Deadline


class ErrandDeadlines(Part):
    """One for every errand, counted from when it was asked for."""

    contribution: Deadline
    supplier: Deadline
    approval: Deadline
    solution_notice: Deadline
    unfounded_reply: Deadline
    execution: Deadline
    statement: Deadline
    appeal: Deadline
    measure: Deadline
    verification: Deadline


class Waiting(Clause):
    """How long clocks stand still at most while the customer is waited for (SLA-9)."""

    at_most: Time


class Deadlines(Part):
    """All clocks. A warning goes out when `warning_share` of the time has passed (SLA-4)."""

    warning_share: Share
    waiting: Waiting | None = None  # packs that were published before there was such a thing wait for nobody
    steps: StepDeadlines
    errands: ErrandDeadlines

    def of(self, what: Step | Errand) -> Deadline:
        """The deadline of a step or errand; recording has none, for it is where time begins."""
        found: Deadline = getattr(self.steps if isinstance(what, Step) else self.errands, what)
        return found
