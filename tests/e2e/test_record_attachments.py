"""Files kept with a complaint: checked, hashed, sealed, found again (REC-10)."""

import base64
import hashlib
from pathlib import Path

import httpx
import pytest

from services.intake import attachments
from tests import backends, service_kit
from tests.e2e import desk
from tests.e2e.calls import Answer, expect, path, read, record

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
DIGEST = base64.b64encode(hashlib.sha256(PNG).digest()).decode()


async def attach(
    client: httpx.AsyncClient,
    answer: Answer,
    content: bytes = PNG,
    media_type: str = "image/png",
    filename: str = "闪烁的灯管 1.png",
    digest: str | None = None,
) -> httpx.Response:
    return await client.post(
        path(answer, "attachments"),
        params={"filename": filename},
        content=content,
        headers={"content-type": media_type} | ({"content-digest": digest} if digest else {}),
    )


@pytest.mark.rule("REC-10")
async def test_a_file_is_kept_with_its_hash_type_and_size(client: httpx.AsyncClient) -> None:
    answer = await record(client)
    kept = expect(await attach(client, answer, digest=f"sha-256=:{DIGEST}:"), 201)
    assert kept["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (kept["media_type"], kept["size_bytes"]) == ("image/png", len(PNG))
    assert (kept["filename"], kept["author"]) == ("闪烁的灯管 1.png", "li.wei")
    assert (await client.get(path(answer, "attachments"))).json() == [kept]
    assert (await read(client, answer))["attachments"] == [kept]
    content = await client.get(path(answer, f"attachments/{kept['attachment_id']}"))
    assert content.content == PNG
    assert content.headers["content-type"] == "image/png"
    assert content.headers["content-digest"] == f"sha-256=:{DIGEST}:"
    assert content.headers["x-content-type-options"] == "nosniff"


@pytest.mark.rule("REC-10")
@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (PNG, "image/jpeg", 422, "malformed"),
        (b"<script>", "image/png", 422, "malformed"),
        (b"", "text/plain", 422, "malformed"),
        (PNG, "application/octet-stream", 415, "unsupported_media_type"),
        (b"<svg/>", "image/svg+xml", 415, "unsupported_media_type"),
    ],
)
async def test_content_is_checked_and_not_trusted(
    client: httpx.AsyncClient, content: bytes, media_type: str, status: int, code: str
) -> None:
    answer = await record(client)
    refused = service_kit.problem(await attach(client, answer, content, media_type), status, code)
    if status == 422:
        assert refused["errors"][0]["code"] == "media_type_mismatch"
    assert (await client.get(path(answer, "attachments"))).json() == []


@pytest.mark.rule("REC-10")
@pytest.mark.parametrize("digest", [f"sha-256=:{'A' * 43}=:", "sha-256=x", "md5=:AA==:"])
async def test_a_file_that_arrived_otherwise_is_refused(client: httpx.AsyncClient, digest: str) -> None:
    answer = await record(client)
    refused = await attach(client, answer, digest=digest)
    service_kit.problem(refused, 422, "malformed", "/content-digest")


async def test_the_same_content_is_attached_once(client: httpx.AsyncClient) -> None:
    answer = await record(client)
    first = expect(await attach(client, answer), 201)
    assert expect(await attach(client, answer, filename="again.png"), 200) == first


@pytest.mark.parametrize(
    "name", ["灯 💡+%.png", "..\\..\\x.png", "a\r\nb: c.png", "é e\u0301.png", "\ufffd.png"]
)
async def test_a_name_comes_back_as_it_was_sent(client: httpx.AsyncClient, name: str) -> None:
    answer = await record(client)
    assert expect(await attach(client, answer, filename=name), 201)["filename"] == name
    assert [kept["filename"] for kept in (await read(client, answer))["attachments"]] == [name]


async def test_a_name_that_is_no_text_is_refused(client: httpx.AsyncClient) -> None:
    url = f"{path(await record(client), 'attachments')}?filename=%ED%A0%BD.png"
    refused = await client.post(url, content=PNG, headers={"content-type": "image/png"})
    service_kit.problem(refused, 422, "malformed", "/filename")


async def test_a_file_may_be_larger_than_other_bodies_but_not_boundless(client: httpx.AsyncClient) -> None:
    answer = await record(client)
    large = PNG + bytes(attachments.BYTES_MAX - len(PNG))
    assert (await attach(client, answer, large)).status_code == 201
    service_kit.problem(await attach(client, answer, large + b"\x00"), 413, "content_too_large")


async def test_files_need_a_complaint_and_their_content_needs_personal_read(
    intake: desk.Intake, client: httpx.AsyncClient
) -> None:
    nowhere = {"complaint_id": "01940000-0000-7000-8000-000000000000"}
    service_kit.problem(await attach(client, nowhere), 404, "not_found")
    answer = await record(client)
    kept = expect(await attach(client, answer), 201)
    async with intake.client("complaints:read") as reader:
        (listed,) = (await reader.get(path(answer, "attachments"))).json()
        content = await reader.get(path(answer, f"attachments/{kept['attachment_id']}"))
    assert listed["filename"] == "[masked]"
    service_kit.problem(content, 403, "insufficient_scope")
    other = path(answer, f"attachments/{nowhere['complaint_id']}")
    service_kit.problem(await client.get(other), 404, "not_found")


async def test_nothing_on_disk_can_be_read_without_the_key_and_erasure_takes_the_key(
    database: backends.Database, tmp_path: Path
) -> None:
    async with desk.running(database, tmp_path) as intake, intake.client() as client:
        answer = await record(client)
        kept = expect(await attach(client, answer), 201)
        (file,) = [found for found in (tmp_path / "attachments").rglob("*") if found.is_file()]
        assert kept["sha256"] in file.name
        assert PNG[:16] not in file.read_bytes()
        subject = f"complaint:{answer['complaint_id']}"
        await desk.erase(database, intake, subject)
        gone = await client.get(path(answer, f"attachments/{kept['attachment_id']}"))
        service_kit.problem(gone, 404, "erased")
        again = await attach(client, answer, PNG + b"2")
        service_kit.problem(again, 409, "personal_data_erased")


async def test_an_altered_file_is_not_given_out(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await record(client)
    kept = expect(await attach(client, answer), 201)
    (file,) = [found for found in (tmp_path / "attachments").rglob("*") if found.is_file()]
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    altered = await client.get(path(answer, f"attachments/{kept['attachment_id']}"))
    service_kit.problem(altered, 500, "internal")
