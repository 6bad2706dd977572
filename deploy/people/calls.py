"""How simulated people call the services: by HTTP, each with a token of their own, and by nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from deploy.local import database, tokens
from deploy.people.wire import Client

Json = dict[str, Any]
# A refusal is an answer: somebody was faster, or something else comes first. So is a version that is past.
ANSWERS: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
AGAIN: Final = frozenset({HTTPStatus.SERVICE_UNAVAILABLE})
CURRENCY: Final = "CNY"
ATTEMPTS_MAX: Final = 5
VARYING: Final = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d+)")  # what names one thing in a path


def money(amount: object) -> Json:
    """An amount, as bodies have it."""
    return {"amount": str(amount), "currency": CURRENCY}


class Unexpected(Exception):
    """A service answered what no honest call should be answered."""


def first_cause(error: BaseException) -> BaseException:
    """What ended a group of tasks, or of groups."""
    return first_cause(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call brought: `refused` is the code of a refusal, None where it was carried out."""

    content: Json
    refused: str | None = None

    def __bool__(self) -> bool:
        return self.refused is None


class Callers:
    """Makes calls in anybody's name. `clients` are by service; `refusals` counts codes."""

    def __init__(self, clients: Mapping[str, Client], signing_keys: str) -> None:
        self.refusals: Counter[str] = Counter()
        self.calls = 0
        self.done: Counter[tuple[str, str]] = Counter()  # commands carried out, by service and kind of path
        self._clients = clients
        self._mint: Callable[[str], str] = lambda person: tokens.mint(
            signing_keys, database.LOG, tokens.SCOPES, person, tokens.TTL_SECONDS
        )
        self._tokens: dict[str, dict[str, str]] = {}

    def has(self, service: str) -> bool:
        """Whether this service is there."""
        return service in self._clients

    async def post(self, service: str, path: str, person: str, body: Json | None = None) -> Answer:
        """Give a command. Unexpected for whatever is neither done nor refused."""
        answer = await self._call(service, "POST", path, person, body)
        if answer:
            self.done[service, VARYING.sub("/{}", path)] += 1
        return answer

    async def get(self, service: str, path: str, person: str) -> Answer:
        """Look something up."""
        return await self._call(service, "GET", path, person, None)

    async def _call(self, service: str, method: str, path: str, person: str, body: Json | None) -> Answer:
        client, headers = self._clients[service], self._headers(person)
        answer = await client.request(method, path, json=body, headers=headers)
        for _ in range(ATTEMPTS_MAX):
            if answer.status_code not in AGAIN:
                break
            answer = await client.request(method, path, json=body, headers=headers)
        self.calls += 1
        if answer.is_success:
            return Answer(answer.json())
        if answer.status_code in ANSWERS:
            problem = answer.json()
            self.refusals[problem["code"]] += 1
            return Answer(problem, problem["code"])
        said = f"{answer.status_code} {answer.text}"
        raise Unexpected(f"{method} {service} {path} by {person} with {body}: {said}")

    def _headers(self, person: str) -> dict[str, str]:
        """Their token, made once."""
        if person not in self._tokens:
            self._tokens[person] = {"Authorization": f"Bearer {self._mint(person)}"}
        return self._tokens[person]
