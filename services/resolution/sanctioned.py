"""What became of a sanction: its person's words, an appeal, by when that is decided, and how (PEN-4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from libs.events.contracts import penalize
from libs.events.contracts.term import Breach, MovedDue


@dataclass(frozen=True, slots=True)
class Sanction:
    """A sanction and what became of it (PEN-4)."""

    imposed: penalize.SanctionImposed
    stated: tuple[penalize.CaseStated, ...] = ()
    appealed: penalize.SanctionAppealed | None = None
    decided: penalize.AppealDecided | None = None
    overdue: bool = False

    @property
    def appeal(self) -> str:
        """What the deadline of its appeal is about."""
        return f"appeal/{self.imposed.sanction}"


def heard(
    sanction: Sanction,
    event: penalize.CaseStated | penalize.SanctionAppealed | penalize.AppealDecided | penalize.AppealOverdue,
) -> Sanction:
    """After an event of some sanction."""
    if event.sanction != sanction.imposed.sanction:
        return sanction
    match event:
        case penalize.CaseStated():
            return replace(sanction, stated=(*sanction.stated, event))
        case penalize.SanctionAppealed():
            return replace(sanction, appealed=event)
        case penalize.AppealDecided():
            return replace(sanction, decided=event)
        case penalize.AppealOverdue():
            return replace(sanction, overdue=True)


def moved(sanction: Sanction, lies: MovedDue | None) -> Sanction:
    """Its appeal is to be decided at another time: what was late and is so no more can be late again."""
    if lies is None or sanction.appealed is None:
        return sanction
    appealed = replace(sanction.appealed, due=lies.due)
    return replace(sanction, appealed=appealed, overdue=sanction.overdue and lies.breach is Breach.STANDS)
