"""What a simulated service stands on: one log and one store in memory for all of them, and simulated time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import jwt
from pydantic import SecretStr

from deploy.local import tokens as local_tokens
from libs.events.connection import Connection
from libs.events.envelope import Envelope, Recorded
from libs.events.keys import KEY_BYTES, KeyEncryptionKey, KeyRing
from libs.events.memory import MemoryLog
from libs.events.store import EventStore, OnAppended
from libs.policy import pack
from libs.service import database, tokens
from libs.service.policies import Policies
from libs.service.settings import Settings
from libs.service.wiring import Resources

LOG: Final = "main"
NOWHERE: Final = "postgresql://nobody@127.0.0.1:1/nothing"  # whoever asks for a table is told at once
KEPT_MAX: Final = 100_000  # everything that a simulation is about
NO_BUS: Final = "nats://127.0.0.1:1"


class RememberingStore(EventStore):
    """An event store that decodes each event once: in one process everybody may look at the same object."""

    def __init__(self, log: MemoryLog, keys: KeyRing, on_appended: OnAppended) -> None:
        super().__init__(log, keys, on_appended, KEPT_MAX)
        self._decoded: dict[tuple[str, int], Recorded[Any]] = {}

    async def decode(self, log: str, envelopes: Iterable[Envelope]) -> list[Recorded[Any]]:
        """See `EventStore.decode`."""
        envelopes = list(envelopes)
        new = [each for each in envelopes if (log, each.seq) not in self._decoded]
        for recorded in await super().decode(log, new) if new else ():
            self._decoded[log, recorded.envelope.seq] = recorded
        return [self._decoded[log, each.seq] for each in envelopes]


@dataclass
class Simulated(Resources):
    """Resources without servers; `shared` is the store that every service has, `chance` the world's."""

    shared: EventStore | None = None
    chance: random.Random = field(default_factory=random.Random)

    @cached_property
    def keys(self) -> KeyRing:
        """The store's: a key made by one service is known to all."""
        return self.store.keys

    @cached_property
    def store(self) -> EventStore:
        """The one store."""
        assert self.shared is not None, "a simulated service shares its store"
        return self.shared

    @cached_property
    def policies(self) -> Policies:
        """Read again as simulated time goes by."""
        return Policies(self.store, self.policy, lambda: self.now().timestamp())


class Keys:
    """The one key that signs tokens here; see `libs.service.keyset.KeySet`."""

    def __init__(self, signing_keys: str) -> None:
        self._key = jwt.PyJWKSet.from_json(local_tokens.public(signing_keys)).keys[0]

    async def key(self, token: str, key_id: str) -> jwt.PyJWK | None:
        """It, whatever the id."""
        return self._key

    def changed(self) -> bool:
        """Never."""
        return False


class Ground:
    """Makes the resources of each service; `told` is called after each append."""

    def __init__(
        self,
        chance: random.Random,
        now: Callable[[], datetime],
        told: OnAppended,
        policy: str = "standard",
    ) -> None:
        self.log = MemoryLog(LOG, now=now)
        self.signing_keys = local_tokens.make_signing_keys()
        self._key = KeyEncryptionKey(chance.randbytes(KEY_BYTES))
        self.store = RememberingStore(self.log, KeyRing(self.log, self._key), told)
        self._verifier = tokens.Verifier(Keys(self.signing_keys), local_tokens.ISSUER, local_tokens.AUDIENCE)
        self._chance = chance
        self._now = now
        self._policy = pack.load(policy)

    def resources(self) -> Simulated:
        """For one service."""
        return Simulated(
            settings=Settings(
                database_url=SecretStr(NOWHERE),
                nats_url=SecretStr(NO_BUS),
                key_file=Path("nowhere"),
                jwks_file=Path("nowhere"),
                policy=self._policy.name,
            ),
            log=self.log,
            engine=database.engine(NOWHERE, "simulation"),
            bus=Connection(NO_BUS),
            key_encryption_key=self._key,
            tokens=self._verifier,
            policy=self._policy,
            now=self._now,
            shared=self.store,
            chance=self._chance,
        )
