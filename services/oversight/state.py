"""What oversight knows of an organisation's policies: drafts, what was published, and who has read what."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, assert_never

from libs.events.contracts import policy as events

Event = events.PolicyDrafted | events.PolicyPublished | events.PolicyAcknowledged


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked pack that was not published yet."""

    name: str
    effective_from: date
    text: str


@dataclass(frozen=True, slots=True)
class Policies:
    """Drafts and published packs by version; `read_by`: version -> persons who acknowledged it."""

    drafts: dict[int, Draft] = field(default_factory=dict)
    published: dict[int, events.PolicyPublished] = field(default_factory=dict)
    read_by: dict[int, frozenset[str]] = field(default_factory=dict)

    @property
    def last_version(self) -> int:
        """The highest version that was published; 0 where none was."""
        return max(self.published, default=0)


INITIAL: Final = Policies()


def evolve(policies: Policies, event: Event) -> Policies:
    """What is known after `event`."""
    match event:
        case events.PolicyDrafted():
            draft = Draft(event.name, event.effective_from, event.text)
            return replace(policies, drafts={**policies.drafts, event.version: draft})
        case events.PolicyPublished():
            drafts = {
                version: draft for version, draft in policies.drafts.items() if version != event.version
            }
            return replace(policies, drafts=drafts, published={**policies.published, event.version: event})
        case events.PolicyAcknowledged():
            readers = policies.read_by.get(event.version, frozenset()) | {event.person}
            return replace(policies, read_by={**policies.read_by, event.version: readers})
        case _:
            assert_never(event)
