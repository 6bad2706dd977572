"""Both logs against a model so simple that it can be seen to be right, over histories nobody thought of."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from libs.events import errors, ledger
from libs.events.envelope import Append, Appended, NewEvent
from libs.events.log import migrate
from libs.events.log.postgres import PostgresLog
from libs.events.memory import MemoryLog
from libs.events.store import ClaimTaken, KeysChanged, Log
from tests import appends, backends

T = TypeVar("T")
STREAMS = ("intake-a", "intake-b", "intake-c")
ERASURES = "erasure-a"
SUBJECTS = ("s1", "s2")
few = st.integers(0, 3)


@dataclass
class Model:
    """What was appended, in order. Every answer is worked out from that."""

    done: list[tuple[Append, Appended]] = field(default_factory=list)
    keys: dict[str, UUID] = field(default_factory=dict)

    def events(self) -> list[tuple[str, NewEvent]]:
        return [(append.stream, event) for append, _ in self.done for event in append.events]

    def version(self, stream: str) -> int:
        return sum(1 for name, _ in self.events() if name == stream)

    def expected(self, append: Append) -> type[Exception] | tuple[int, int, bool]:
        """The refusal, or version, seq and whether it is a repeat."""
        known = {event.event_id: (stream, event) for stream, event in self.events()}
        if any(event.event_id in known for event in append.events):
            if any(known.get(event.event_id) != (append.stream, event) for event in append.events):
                return errors.EventIdTaken
            places = [event.event_id for stream, event in self.events() if stream == append.stream]
            seqs = [event.event_id for _, event in self.events()]
            last = append.events[-1].event_id
            return places.index(last) + 1, seqs.index(last) + 1, True
        taken = {claim.name for before, _ in self.done for claim in before.claims}
        if any(claim.name in taken for claim in append.claims):
            return ClaimTaken
        if append.expected_version != self.version(append.stream):
            return errors.VersionConflict
        if any(key.subject in self.keys for key in append.new_keys):
            return KeysChanged
        if not set(append.used_keys) <= set(self.keys.values()):
            return KeysChanged
        number = len(append.events)
        return append.expected_version + number, len(self.events()) + number, False

    def take(self, append: Append, appended: Appended) -> None:
        self.done.append((append, appended))
        if append.erases is not None:
            self.keys.pop(append.erases, None)
        self.keys.update({key.subject: key.key_id for key in append.new_keys})


class LogMachine(RuleBasedStateMachine):
    """Appends of every kind, alone and several at once, each compared with the model."""

    runner: asyncio.Runner
    open: Callable[[], Coroutine[Any, Any, tuple[str, Log, Log]]]

    def __init__(self) -> None:
        super().__init__()
        self.name, self.log, self.oversight = self.run(type(self).open())
        self.model = Model()
        self.claims = [appends.claim() for _ in range(3)]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def made(self, stream: str, off: int, events: int, claims: list[int], key: str | None) -> Append:
        """A fresh append, often with the right version; `key`: seal under a subject's key, stored or new."""
        stored = self.model.keys.get(key) if key else None
        return appends.append(
            stream,
            max(0, self.model.version(stream) + off),
            *(appends.event(body=str(uuid4()).encode()) for _ in range(events)),
            log=self.name,
            claims=tuple(self.claims[number] for number in sorted(set(claims))),
            new_keys=(appends.key(key),) if key and stored is None else (),
            used_keys=(stored,) if stored else (),
        )

    def compare(self, append: Append, got: Appended | BaseException) -> None:
        expected = self.model.expected(append)
        if isinstance(expected, type):
            assert isinstance(got, expected), (expected, got)
            return
        assert isinstance(got, Appended), (expected, got)
        assert (got.version, got.seq, got.repeated) == expected
        if not got.repeated:
            self.model.take(append, got)

    def carry_out(self, *several: Append) -> None:
        def start(append: Append) -> Coroutine[Any, Any, Appended]:
            return (self.oversight if append.stream == ERASURES else self.log).append(append)

        async def gathered() -> list[Appended | BaseException]:
            return await asyncio.gather(*map(start, several), return_exceptions=True)

        for append, got in zip(several, self.run(gathered()), strict=True):
            self.compare(append, got)

    @rule(
        stream=st.sampled_from(STREAMS),
        off=st.sampled_from((0, 0, 0, -1, 1)),
        events=st.integers(1, 3),
        claims=st.lists(st.integers(0, 2), max_size=2),
        key=st.sampled_from((None, *SUBJECTS)),
    )
    def append(self, stream: str, off: int, events: int, claims: list[int], key: str | None) -> None:
        self.carry_out(self.made(stream, off, events, claims, key))

    @rule(
        first=st.sampled_from(STREAMS),
        second=st.sampled_from(STREAMS),
        key=st.sampled_from((None, *SUBJECTS)),
    )
    def append_at_once(self, first: str, second: str, key: str | None) -> None:
        """In flight together, carried out in the order they were asked for."""
        self.carry_out(*(self.made(stream, 0, 1, [], key) for stream in (first, second, first)))

    @precondition(lambda self: self.model.done)
    @rule(number=few, cut=st.booleans())
    def repeat(self, number: int, cut: bool) -> None:
        append = self.model.done[number % len(self.model.done)][0]
        if not append.events:
            return
        self.carry_out(appends.only(append, events=append.events[:1]) if cut else append)

    @precondition(lambda self: self.model.done)
    @rule(number=few, stream=st.sampled_from(STREAMS), body=st.sampled_from((b"{}", None)))
    def reuse_an_event_id(self, number: int, stream: str, body: bytes | None) -> None:
        append = self.model.done[number % len(self.model.done)][0]
        if not append.events:
            return
        event = append.events[0]
        altered = NewEvent(event.event_id, event.type, body or event.body)
        self.carry_out(appends.append(stream, self.model.version(stream), altered, log=self.name))

    @rule(subject=st.sampled_from(SUBJECTS))
    def erase(self, subject: str) -> None:
        version = self.model.version(ERASURES)
        self.carry_out(appends.append(ERASURES, version, log=self.name, erases=subject))

    @rule(after=few, limit=st.integers(1, 4), stream=st.sampled_from(STREAMS))
    def read(self, after: int, limit: int, stream: str) -> None:
        page = self.run(self.log.read(self.name, after, limit))
        assert [e.event_id for e in page] == [
            e.event_id for _, e in self.model.events()[after : after + limit]
        ]
        rest = self.run(self.log.read_stream(self.name, stream, after))
        written = [event.event_id for name, event in self.model.events() if name == stream]
        assert [e.event_id for e in rest] == written[after:]

    @invariant()
    def claims_and_keys_agree(self) -> None:
        owners = {c.name: a.stream for a, _ in self.model.done for c in a.claims}
        for claim in self.claims:
            found = self.run(self.log.find_claim(self.name, claim.name))
            assert (found.stream if found else None) == owners.get(claim.name)
        stored = [self.run(self.log.key_of_subject(self.name, subject)) for subject in SUBJECTS]
        assert {key.subject: key.key_id for key in stored if key} == self.model.keys

    def teardown(self) -> None:
        verdict = self.run(ledger.verify(self.log, self.name))
        assert verdict.fault is None
        assert verdict.events == len(self.model.events())


BRIEF = settings(
    max_examples=40, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_the_log_in_memory_does_what_the_model_says() -> None:
    async def open_() -> tuple[str, Log, Log]:
        log = MemoryLog("main")
        return "main", log, log

    with asyncio.Runner() as runner:
        try_out(runner, open_)


@pytest.mark.timeout(120)
def test_the_log_in_postgresql_does_what_the_model_says(module_database: backends.Database) -> None:
    numbers = itertools.count()
    intake = PostgresLog(module_database.dsn("redress_intake"))
    oversight = PostgresLog(module_database.dsn("redress_oversight"))

    async def open_() -> tuple[str, Log, Log]:
        name = f"model-{next(numbers)}"
        await migrate.create_log(module_database.superuser_dsn, name)
        return name, intake, oversight

    with asyncio.Runner() as runner:
        for log in (intake, oversight):
            runner.run(log.start())
        try_out(runner, open_)
        for log in (intake, oversight):
            runner.run(log.close())


def try_out(runner: asyncio.Runner, open_: Callable[[], Coroutine[Any, Any, tuple[str, Log, Log]]]) -> None:
    machine = type("Machine", (LogMachine,), {"open": staticmethod(open_), "runner": runner})
    run_state_machine_as_test(machine, settings=BRIEF)
