"""Attachments are what their content is (REC-10)."""

import pytest

from services.intake import media

CONTENTS = {
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "image/png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "image/heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "application/pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "video/mp4": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41",
    "text/plain": "三支灯管闪烁\r\n\tthree 💡".encode(),
}
NO_TYPE = {
    "nothing": b"",
    "a program": b"MZ\x90\x00\x03",
    "text with control characters": b"a\x1bb",
    "text in another encoding": "灯管".encode("gb18030"),
    "a cut signature": b"\x89PNG",
}


def test_every_type_has_an_example() -> None:
    assert CONTENTS.keys() == media.SIGNATURES.keys()


@pytest.mark.rule("REC-10")
@pytest.mark.parametrize("media_type", CONTENTS)
def test_content_is_of_its_own_type_and_of_no_other(media_type: str) -> None:
    fitting = [other for other in media.SIGNATURES if media.fits(CONTENTS[media_type], other)]
    assert set(fitting) - {"text/plain"} == {media_type} - {"text/plain"}
    assert media.fits(CONTENTS[media_type], media_type)


@pytest.mark.rule("REC-10")
@pytest.mark.parametrize("content", NO_TYPE.values(), ids=NO_TYPE.keys())
def test_other_content_is_of_none(content: bytes) -> None:
    assert not any(media.fits(content, media_type) for media_type in media.SIGNATURES)
