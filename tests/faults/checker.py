"""Compares what clients were told with the log and the bus: nothing lost, doubled or reordered."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from libs.events.envelope import Envelope


@dataclass(frozen=True)
class Acknowledged:
    """One answer a client had: its event is version `version` of `stream`. Over HTTP that is the ETag."""

    stream: str
    version: int
    event_id: uuid.UUID | None = None
    seq: int | None = None

    def fits(self, stored: Envelope) -> bool:
        return self.event_id in (None, stored.event_id) and self.seq in (None, stored.seq)


@dataclass
class Checker:
    """The client's own book. `tried` is optional: where it is kept, nothing else may be on record."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    tried: set[uuid.UUID] = field(default_factory=set)

    def faults(self, log: Sequence[Envelope], stream: Sequence[Envelope] | None = None) -> list[str]:
        """Everything that is wrong; empty when the three agree. `stream` is in the order of its sequence."""
        found = [*self._in_log(log)]
        if stream is not None:
            found += differences("stream", stream, log)
        return found

    def _in_log(self, log: Sequence[Envelope]) -> Iterator[str]:
        yield from out_of_step(log)
        places = {(each.stream, each.version): each for each in log}
        for answer in self.acknowledged:
            stored = places.get((answer.stream, answer.version))
            if stored is None:
                yield f"lost: {answer}"
            elif not answer.fits(stored):
                yield f"another event stands where this was acknowledged: {answer}"
        for answer, times in Counter(self.acknowledged).items():
            if times > 1 and answer.event_id is None:
                yield f"two clients were told the same: {answer}"
        for each in log:
            if self.tried and each.event_id not in self.tried:
                yield f"nobody wrote {each.event_id} at seq {each.seq}"


def out_of_step(log: Iterable[Envelope]) -> Iterator[str]:
    """Holes and repeats among seqs, versions and event ids."""
    log = list(log)
    if [each.seq for each in log] != list(range(1, len(log) + 1)):
        yield "the seqs of the log are not 1, 2, 3 ..."
    for event_id, times in Counter(each.event_id for each in log).items():
        if times > 1:
            yield f"doubled: {event_id} is {times} times in the log"
    versions: dict[str, int] = {}
    for each in log:
        if each.version != versions.get(each.stream, 0) + 1:
            yield f"{each.stream} goes from version {versions.get(each.stream, 0)} to {each.version}"
        versions[each.stream] = each.version
    for earlier, later in pairwise(log):
        if later.at < earlier.at:
            yield f"time runs backwards at seq {later.seq}"


def differences(what: str, carried: Sequence[Envelope], log: Sequence[Envelope]) -> Iterator[str]:
    """Where a copy departs from the log, first things first."""
    for mine, theirs in zip(carried, log, strict=False):
        if mine != theirs:
            yield f"{what} has seq {mine.seq} ({mine.event_id}) where the log has {theirs.seq}"
            return
    if len(carried) != len(log):
        yield f"{what} has {len(carried)} events of {len(log)}"
