"""Channels: what leaves is whole, under one id, and what fails says so without a word of the notice."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from libs.events import errors
from services.notifier.channels.channel import Failed, Outgoing
from services.notifier.channels.jetstream import JetStream
from services.notifier.channels.outbox import Outbox
from tests.complaint_history import NOW


def outgoing(notice_id: UUID | None = None, text: str = "尊敬的客户：\n您好") -> Outgoing:
    return Outgoing(
        log="main",
        notice_id=notice_id or uuid4(),
        complaint_id=UUID(int=2),
        kind="progress",
        recipient="customer",
        language="zh-CN",
        template="standard@1/progress/zh-CN",
        written_at=NOW,
        to="13800000001",
        subject="投诉的进展",
        text=text,
    )


def lines(folder: Path) -> list[Mapping[str, str]]:
    return [json.loads(line) for file in folder.iterdir() for line in file.read_text().splitlines()]


async def test_each_notice_is_one_line_however_many_leave_at_once(tmp_path: Path) -> None:
    first, second = Outbox(tmp_path / "outbox"), Outbox(tmp_path / "outbox")
    sent = [outgoing(text="一行\n又一行" * 500) for _ in range(60)]
    await asyncio.gather(*((first, second)[n % 2].send(each) for n, each in enumerate(sent)))
    assert {line["notice_id"] for line in lines(tmp_path / "outbox")} == {str(e.notice_id) for e in sent}
    assert len(lines(tmp_path / "outbox")) == 60


async def test_the_outbox_is_for_its_owner_alone(tmp_path: Path) -> None:
    await Outbox(tmp_path / "outbox").send(outgoing())
    (file,) = (tmp_path / "outbox").iterdir()
    assert (tmp_path / "outbox").stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.rule("NTF-3")
async def test_a_full_disk_fails_every_notice_of_the_write_and_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Outbox(tmp_path)
    await channel.send(outgoing())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    outcomes = await asyncio.gather(*(channel.send(outgoing()) for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Failed] * 5
    assert str(outcomes[0]) == "the outbox cannot be written: No space left on device"
    assert len(lines(tmp_path)) == 1
    monkeypatch.undo()
    await channel.send(outgoing())
    assert len(lines(tmp_path)) == 2


class Gone:
    """A bus that is away."""

    async def publish(self, log: str, what: str, id: str, payload: bytes) -> None:
        raise errors.Unavailable("The bus is not connected.")


@pytest.mark.rule("NTF-3")
async def test_a_bus_that_is_away_is_a_failed_attempt() -> None:
    with pytest.raises(Failed, match="not connected"):
        await JetStream(Gone()).send(outgoing())


def test_nothing_of_a_notice_shows_where_it_is_logged() -> None:
    shown = repr(outgoing())
    assert not [secret for secret in ("13800000001", "尊敬", "进展") if secret in shown]
