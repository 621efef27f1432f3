"""The XML query of archive/search (facts 3.10)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from devkit.mimecast.envelope import FunctionError, parse_date
from devkit.mimecast.mail import Mail

DEFAULT_PAGE_SIZE = 25
LARGEST_PAGE = 500
MOST_MAILBOXES = 100
DOCS_WORDS = frozenset(
    {"optional", "any", "documents", "spreadsheets", "presentations", "text", "images", "media", "zips", "none"}
)
EXTENSIONS = {
    "documents": {"doc", "docx", "pdf", "rtf"},
    "spreadsheets": {"xls", "xlsx", "csv"},
    "presentations": {"ppt", "pptx"},
    "text": {"txt", "log", "csv"},
    "images": {"png", "jpg", "jpeg", "gif"},
    "media": {"mp3", "mp4", "wav"},
    "zips": {"zip", "gz", "7z"},
}
FRAMES = {
    "last_week": timedelta(days=7),
    "last_month": timedelta(days=30),
    "last_year": timedelta(days=365),
}
_PREFIXED = re.compile(r"(subject|from|to):(.*)", re.IGNORECASE | re.DOTALL)
_OR = re.compile(r"\s+or\s+", re.IGNORECASE)

Condition = Callable[[Mail], bool]


@dataclass(frozen=True)
class ArchiveQuery:
    """A query that was understood.

    Attributes:
        conditions: All of them hold for what is found.
        start: Earliest receipt, None = any.
        end: Latest receipt, None = any.
        fields: ``return-field`` values; empty = all.
        page_size: Rows a page.
        first_row: ``startrow``.
    """

    conditions: list[Condition]
    start: datetime | None
    end: datetime | None
    fields: list[str]
    page_size: int
    first_row: int


def invalid(message: str) -> FunctionError:
    """What a query that is not understood gets."""
    return FunctionError("err_invalid_search_xml", message, field="query")


def parse_query(text: str, now: datetime) -> ArchiveQuery:
    """Reads a query.

    Args:
        text: The XML.
        now: The present, for ``today`` and the like.

    Returns:
        The query.

    Raises:
        FunctionError: If it is no XML, has a DTD or entities, or isn't built as documented.
    """
    try:
        root: Element = ElementTree.fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise invalid("Invalid search XML") from error
    metadata, muse = root.find("metadata"), root.find("muse")
    if root.tag != "xmlquery" or metadata is None or muse is None:
        raise invalid("xmlquery with metadata and muse is required")
    if metadata.get("query-type") != "emailarchive":
        raise invalid("query-type must be emailarchive")
    start, end = _frame(muse.find("date"), now)
    return ArchiveQuery(
        conditions=[*_mailboxes(metadata), *_conditions(muse)],
        start=start,
        end=end,
        fields=[field.text.strip() for field in metadata.iterfind("return-fields/return-field") if field.text],
        page_size=_number(metadata, "page-size", DEFAULT_PAGE_SIZE, 1, LARGEST_PAGE),
        first_row=_number(metadata, "startrow", 0, 0, None),
    )


def _number(element: Element, name: str, default: int, least: int, most: int | None) -> int:
    text = element.get(name, str(default))
    if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
        raise invalid(f"{name} must be a number")
    return int(text)


def _mailboxes(metadata: Element) -> list[Condition]:
    boxes = {_text(box).lower() for box in metadata.iterfind("mailboxes/mailbox")} - {""}
    if len(boxes) > MOST_MAILBOXES:
        raise invalid("At most 100 mailboxes")
    if not boxes:
        return []
    return [lambda mail: bool(boxes & {mail.sender.lower(), *(address.lower() for address in mail.recipients)})]


def _conditions(muse: Element) -> list[Condition]:
    """Conditions of the elements that Mimecast honours; it ignores ``received``, ``to`` and ``recipient``."""
    conditions = [_text_condition(_text(element)) for element in muse.iterfind("text") if _text(element)]
    conditions += [_sent_condition(element) for element in muse.iterfind("sent") if _text(element)]
    conditions += [_docs_condition(element) for element in muse.iterfind("docs")]
    route = _text(muse.find("route"))
    if route:
        conditions.append(lambda mail: mail.route == route)
    return conditions


def _text(element: Element | None) -> str:
    return "" if element is None else "".join(element.itertext()).strip()


def _sent_condition(element: Element) -> Condition:
    """``sent`` takes one address or one bare domain."""
    wanted, side = _text(element).lower(), element.get("select")
    if side not in ("from", "to"):
        raise invalid("sent needs select from or to")

    def holds(mail: Mail) -> bool:
        addresses = [mail.sender] if side == "from" else mail.recipients
        return any(wanted in (address.lower(), address.lower().rpartition("@")[2]) for address in addresses)

    return holds


def _docs_condition(element: Element) -> Condition:
    kind = element.get("select", "optional")
    if kind not in DOCS_WORDS:
        raise invalid("unknown docs select")
    if kind == "optional":
        return lambda mail: True
    if kind in ("any", "none"):
        return lambda mail: bool(mail.attachments) == (kind == "any")
    return lambda mail: any(file.extension.lower() in EXTENSIONS[kind] for file in mail.attachments)


def _text_condition(text: str) -> Condition:
    """``text`` is relevance-ranked, not exact: all words occur somewhere in the field. ``or`` joins alternatives."""
    alternatives: list[tuple[str, list[str]]] = []
    field = ""
    for part in _OR.split(text):
        prefixed = _PREFIXED.fullmatch(part.strip())
        if prefixed:
            field, part = prefixed.group(1).lower(), prefixed.group(2)
        alternatives.append((field, part.replace('"', " ").casefold().split()))

    def holds(mail: Mail) -> bool:
        texts = {
            "subject": mail.subject,
            "from": f"{mail.sender} {mail.names.get(mail.sender, '')}",
            "to": " ".join(mail.recipients),
        }
        texts[""] = " ".join([*texts.values(), mail.text])
        return any(all(word in texts[name].casefold() for word in words) for name, words in alternatives)

    return holds


def _frame(element: Element | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    if element is None:
        return None, None
    select = element.get("select")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if select == "today":
        return midnight, now
    if select == "yesterday":
        return midnight - timedelta(days=1), midnight - timedelta(seconds=1)
    if select in FRAMES:
        return now - FRAMES[select], now
    if select != "between":
        raise invalid("unknown date select")
    start, end = parse_date(element.get("from")), parse_date(element.get("to"))
    if start is None or end is None or end < start:
        raise invalid("between needs from and to as YYYY-MM-DDTHH:MM:SSZ")
    return start, end
