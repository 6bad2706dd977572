"""Deadlines in words, Chinese or English, for whoever asks why something is due when it is (trap 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from libs.events.contracts.values import Language
from libs.policy import calendar, holidays
from libs.policy.calendar import DayShare
from libs.policy.pack import Pack
from libs.policy.schema.part import Allowance, Counted

TIMES: Final = {
    Counted.ELAPSED_MINUTES: "分钟",
    Counted.ELAPSED_HOURS: "小时",
    Counted.WORKING_HOURS: "个工作小时",
    Counted.WORKING_DAYS: "个工作日",
}
DAYS: Final = {
    calendar.WORKING_DAY: "工作日",
    calendar.DAY_OFF: "休息日",
    calendar.ON_THE_CLOCK: "按自然时间",
}
WEEKDAYS: Final = "一二三四五六日"


def due_in_words(
    pack: Pack, clause: str, time: Allowance, start: datetime, due_at: datetime, language: Language
) -> str:
    """What is due, the time it has, from when to when, and by which clause."""
    zone = pack.calendar.zone
    title = pack.clauses[clause].title.in_language(language)
    begins, ends = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (start, due_at))
    if language is Language.CHINESE:
        allowed = f"{time.count}{TIMES[time.counted]}"
        return f"{title}：{allowed}，自 {begins} 至 {ends}（{zone}），依据 {pack.reference} 的 {clause}"
    return f"{title}: {time} from {begins} to {ends} ({zone}), by {clause} of {pack.reference}"


def days_in_words(pack: Pack, days: Sequence[DayShare], language: Language) -> Iterator[str]:
    """A line a day: what it is, what of it counted, and whether its holidays are known."""
    own = {each.name.en: each.name.zh for each in pack.working_time.single_days}
    chinese = DAYS | holidays.IN_CHINESE | own
    for share in days:
        if language is Language.CHINESE:
            unknown = "" if share.announced else f"（{share.day.year} 年公共假期尚未公布）"
            weekday = WEEKDAYS[share.day.weekday()]
            kind = chinese.get(share.kind, share.kind)
            yield f"{share.day} 周{weekday}：{kind}，计 {_clock(share.counted)}{unknown}"
        else:
            unknown = "" if share.announced else f"; public holidays of {share.day.year} are not known yet"
            yield f"{share.day:%a %Y-%m-%d}: {share.kind}, {_clock(share.counted)} counted{unknown}"


def _clock(time: timedelta) -> str:
    """Hours and minutes: 7:30."""
    minutes = time // timedelta(minutes=1)
    return f"{minutes // 60}:{minutes % 60:02}"
