"""Publishes a policy pack over oversight's HTTP interface, and says how that went (GOV-1, GOV-2)."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.local import tokens
from deploy.local.folder import Folder

SECONDS_MAX: Final = 30.0
SCOPES: Final = ("policy:write",)
TTL_SECONDS: Final = 300
# What any problem may have (RFC 9457); whatever else it names belongs to this refusal. `current_version` is
# that of the record of all policies: beside the versions of packs it would only mislead.
_EVERY_PROBLEM: Final = frozenset(
    {"type", "title", "status", "detail", "code", "errors", "trace_id", "current_version"}
)
_THE_PACKS_FAULT: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})


class NotReached(Exception):
    """Oversight could not be asked, or did not take the question: that says nothing about the pack."""


@dataclass(frozen=True)
class Published:
    """A version that decides from `answer`'s `effective_from` on; `before`: it was published already."""

    answer: dict[str, Any]
    before: bool

    def told(self, file: Path, *, as_json: bool) -> str:
        """A line for people, or the answer for programs."""
        if as_json:
            return json.dumps(self.answer | {"published_before": self.before}, ensure_ascii=False)
        named = f"{self.answer['name']}@{self.answer['version']}"
        from_day = self.answer["effective_from"]
        if self.before:
            return f"{file}: {named} was published before, word for word; it decides from {from_day} on"
        return f"{file}: {named} is published; it decides from {from_day} on"


@dataclass(frozen=True)
class Refused:
    """Oversight's reason why this pack will not be; what is in force stays."""

    problem: dict[str, Any]

    def told(self, file: Path, *, as_json: bool) -> str:
        """FILE:LINE: REASON for every fault of the pack, or FILE: the reason; for programs, the problem."""
        if as_json:
            return json.dumps({"published": False} | self.problem, ensure_ascii=False)
        # Oversight calls the pack by the member that it came in.
        faults = [str(fault["detail"]) for fault in self.problem.get("errors", ())]
        if faults:
            lines = [f"{file}{each.removeprefix('text')}" if _placed(each) else each for each in faults]
        else:
            named = [f"{name}: {self.problem[name]}" for name in self.problem.keys() - _EVERY_PROBLEM]
            lines = [" ".join((f"{file}: {self.problem['detail']}", *sorted(named)))]
        return "\n".join((*lines, f"{file} is refused ({self.problem['code']}); what is in force stays"))


@dataclass(frozen=True)
class Oversight:
    """Where oversight answers, and the token that it lets somebody publish with."""

    url: str
    token: str

    @classmethod
    def local(cls, data_dir: Path, author: str) -> "Oversight":
        """That of the system that is up in the folder, for whoever can read its keys; NotUp."""
        folder = Folder.at(data_dir)
        state = folder.read_state()
        token = tokens.mint(folder.signing_keys(), state["log"], SCOPES, author, TTL_SECONDS)
        return cls(state["services"]["oversight"], token)

    def publish(self, text: str) -> Published | Refused:
        """Lay the pack out and publish it; the same text again changes nothing. NotReached."""
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            with httpx.Client(base_url=self.url, headers=headers, timeout=SECONDS_MAX) as client:
                drafted = _answer(client.post("/v1/policies", json={"text": text}))
                if isinstance(drafted, Refused) or drafted["published"]:
                    return drafted if isinstance(drafted, Refused) else Published(drafted, before=True)
                answer = _answer(client.post(f"/v1/policies/{drafted['version']}/publication"))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotReached(f"oversight does not answer at {self.url}: {error}") from None
        return answer if isinstance(answer, Refused) else Published(answer, before=False)


def _answer(answer: httpx.Response) -> dict[str, Any] | Refused:
    try:
        content = dict(answer.json())
    except ValueError:
        raise NotReached(
            f"{answer.url} answers {answer.status_code}, and nothing that oversight says"
        ) from None
    if answer.is_success:
        return content
    if answer.status_code in _THE_PACKS_FAULT:
        return Refused(content)
    raise NotReached(f"oversight answers {answer.status_code}: {content.get('detail')}")


def _placed(fault: str) -> bool:
    return fault.startswith("text:")
