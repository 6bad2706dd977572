"""What a pack must be beyond its form: everything it names exists, nothing overlaps, nothing is left open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from libs.policy.checks import clauses, deadlines, notices, offices, people, solutions
from libs.policy.checks.finding import Wrong
from libs.policy.document import Document, Fault

Sections = Mapping[str, Any]

# Each check with the sections it gets; it is left out where one of them is broken in itself.
CHECKS: Final[tuple[tuple[tuple[str, ...], Callable[..., Wrong]], ...]] = (
    (("people", "units"), people.exist),
    (("people",), people.answer_to_somebody),
    (("leadership", "people"), people.lead),
    (("regions", "units"), people.own_regions),
    (("offices", "people"), offices.are_held),
    (("leadership", "offices"), offices.decide),
    (("escalation", "offices"), offices.are_on_the_ladder),
    (("approvals", "offices"), offices.approve),
    (("thresholds", "offices"), offices.lead_incidents),
    (("notices", "people", "offices"), offices.are_told),
    (("classification",), clauses.classify),
    (("routing", "units"), clauses.route),
    (("contributions", "units"), clauses.contribute),
    (("purchased_parts",), clauses.name_one_supplier),
    (("escalation",), clauses.begin_on_the_ladder),
    (("approvals",), solutions.approvals_are_whole),
    (("warranty",), solutions.warranty_is_whole),
    (("sanctions", "effective_from"), solutions.sanctions_were_consulted_on),
    (("sanctions",), solutions.loss_brackets_are_whole),
    (("deductions",), solutions.minimum_wages_follow),
    (("notices",), notices.know_their_fields),
    (("notices",), notices.wait_between_tries),
    (("deadlines",), deadlines.follow_each_other),
    (("working_time",), notices.single_days_are_single),
)


def faults(document: Document, sections: Sections) -> Iterator[Fault]:
    """Everything wrong with what the sections say together."""
    for names, check in CHECKS:
        if all(name in sections for name in names):
            for path, reason in check(*(sections[name] for name in names)):
                yield document.fault(path, reason)
    for path, reason in clauses.mean_one_thing(sections):
        yield document.fault(path, reason)
