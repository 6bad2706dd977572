"""A complainant of whom nothing is known needs no look for a key, and a mistaken one costs only that look."""

from libs.events.decider import transact
from libs.events.envelope import WrappedKey
from libs.events.keys import KeyEncryptionKey, KeyRing
from libs.events.memory import MemoryLog
from libs.events.store import Context, EventStore
from services.intake import record, state
from services.intake.desk import STREAM
from tests.unit.intake_situations import OTHER, THIS, record_it

SUBJECT = state.own_data_subject(THIS)


class Counting(MemoryLog):
    looked_for = 0

    async def key_of_subject(self, log: str, subject: str) -> WrappedKey | None:
        self.looked_for += 1
        return await super().key_of_subject(log, subject)


async def test_the_key_of_a_new_subject_is_not_looked_for() -> None:
    log = Counting("main")
    store = EventStore(log, KeyRing(log, KeyEncryptionKey(bytes(32))))
    context = Context(actor="li.wei", new_subject=SUBJECT)
    await transact(store, "main", STREAM, THIS, record.decide, record_it, context, new=True)
    assert log.looked_for == 0
    (recorded,) = await store.read_stream("main", STREAM.name(THIS))
    assert recorded.event.narrative == record_it.narrative


async def test_a_subject_that_is_not_new_after_all_keeps_its_key() -> None:
    log = Counting("main")
    stores = [EventStore(log, KeyRing(log, KeyEncryptionKey(bytes(32)))) for _ in range(2)]
    context = Context(actor="li.wei", new_subject=SUBJECT)
    for store, stream in zip(stores, (THIS, OTHER), strict=True):
        await transact(store, "main", STREAM, stream, record.decide, record_it, context, new=True)
    key = await log.key_of_subject("main", SUBJECT)
    for stream in (THIS, OTHER):
        (recorded,) = await stores[0].read_stream("main", STREAM.name(stream))
        assert recorded.event.narrative == record_it.narrative
        assert key is not None
        assert str(key.key_id).encode() in recorded.envelope.body
