"""Reads a printed document as its reader does: the language, the headings, the cells of each row."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

CELLS = {"th", "td"}
RUNS_OR_FETCHES = {"script", "link", "img", "iframe", "object", "embed", "form", "input", "a"}


@dataclass
class Page:
    """A document; `rows` holds the cells of every table, `heads` those of them that head a row or column."""

    language: str = ""
    title: str = ""
    text: str = ""
    tags: set[str] = field(default_factory=set)
    rows: list[list[str]] = field(default_factory=list)
    scopes: dict[str, str] = field(default_factory=dict)

    def row(self, number: int) -> dict[str, str]:
        """A row of the first table under its headings; the headings are row 0."""
        return dict(zip(self.rows[0], self.rows[number], strict=True))

    def beside(self, heading: str) -> str:
        """What stands beside a heading in a table of pairs."""
        (found,) = [row[1] for row in self.rows if row[0] == heading and len(row) == 2]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._within = ""
        self._scope = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.page.tags.add(tag)
        if tag == "br":
            self.handle_data("\n")
            return
        self._within = tag
        if tag == "html":
            self.page.language = given["lang"] or ""
        elif tag == "tr":
            self.page.rows.append([])
        elif tag in CELLS:
            self.page.rows[-1].append("")
            self._scope = given.get("scope") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == self._within:
            self._within = ""

    def handle_data(self, text: str) -> None:
        if self._within == "style":
            return
        self.page.text += text
        if self._within == "title":
            self.page.title += text
        elif self._within in CELLS:
            self.page.rows[-1][-1] += text
            if self._within == "th":
                self.page.scopes[self.page.rows[-1][-1]] = self._scope


def read(answer: httpx.Response, language: str) -> Page:
    """The document, checked to be one that stands alone, whole, in that language, kept by no cache."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == language
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.text.rstrip().endswith("</html>")
    assert "@media print" in answer.text
    reader = _Reader()
    reader.feed(answer.text)
    page = reader.page
    assert page.language == language
    assert not page.tags & RUNS_OR_FETCHES
    assert set(page.scopes.values()) <= {"row", "col"}
    return page
