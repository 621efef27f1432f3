"""Queries of the archive search: built as XML, or checked before they are sent.

What an archive query may hold is described in Mimecast's tutorial "Building search queries".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

ROOT = "xmlquery"
_NO_XML_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class ArchiveSearch:
    """What to look for in the archive.

    Attributes:
        fields: Which fields each row shall have.
        mailboxes: Only mail of these mailboxes; empty: of all.
        senders: Only mail from one of these addresses or domains; empty: from anybody.
        recipients: Only mail to one of these; empty: to anybody.
        subject: Words of the subject; empty: any.
        start: Earliest receipt.
        end: Latest receipt.
        page_size: How many rows a page shall have.
    """

    fields: Sequence[str]
    start: datetime
    end: datetime
    mailboxes: Sequence[str] = ()
    senders: Sequence[str] = ()
    recipients: Sequence[str] = ()
    subject: str = ""
    page_size: int = 100


def is_xml_text(text: str) -> bool:
    """Whether a text can stand in XML: most control characters and halves of surrogate pairs can't, even escaped."""
    return _NO_XML_CHARACTER.search(text) is None


def build_query(search: ArchiveSearch) -> str:
    """Write the XML of a search; every value is escaped.

    A single sender or recipient goes into ``sent``, which is exact. ``sent`` takes one address only, so several go into
    ``text`` with ``or`` between them, as the official integration does; Mimecast's full-text search is less exact.
    """
    root = Element(ROOT, {"trace": "iql,muse"})
    metadata = SubElement(
        root,
        "metadata",
        {
            "query-type": "emailarchive",
            "archive": "true",
            "active": "false",
            "page-size": str(search.page_size),
            "startrow": "0",
        },
    )
    mailboxes = SubElement(metadata, "mailboxes")  # none in it: the whole archive
    for mailbox in search.mailboxes:
        SubElement(mailboxes, "mailbox", {"include-aliases": "true"}).text = mailbox
    SubElement(metadata, "smartfolders")
    fields = SubElement(metadata, "return-fields")
    for name in search.fields:
        SubElement(fields, "return-field").text = name
    muse = SubElement(root, "muse")
    texts = [f"subject: {search.subject}"] if search.subject else []
    exact: list[tuple[str, str]] = []
    for side, addresses in (("from", search.senders), ("to", search.recipients)):
        if len(addresses) == 1:
            exact.append((side, addresses[0]))
        elif addresses:
            texts.append(" or ".join(f"{side}:{address}" for address in addresses))
    for text in texts or [""]:
        SubElement(muse, "text").text = text
    SubElement(muse, "date", {"select": "between", "from": _moment(search.start), "to": _moment(search.end)})
    for side, address in exact:
        SubElement(muse, "sent", {"select": side}).text = address
    SubElement(muse, "docs", {"select": "optional"})
    SubElement(muse, "route")
    return '<?xml version="1.0"?>' + tostring(root, encoding="unicode")


def _moment(moment: datetime) -> str:
    """Write a moment as Mimecast's tutorial shows it for archive queries; elsewhere it wants ``+0000`` (facts 3.10)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_query(text: str) -> None:
    """Check a query that a user wrote: well-formed, nothing in it that could unfold, the right root.

    Raises:
        ValueError: It is not; the text says what and where.
    """
    try:
        root: Element = ElementTree.fromstring(text, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        what = str(error).split(":", 1)[0]
        raise ValueError(f"it is no well-formed XML: {what} (line {line}, column {column + 1})") from None
    except DefusedXmlException:
        raise ValueError("a document type (DOCTYPE) or entities are not allowed in it") from None
    except UnicodeEncodeError:
        raise ValueError("it holds characters that can't stand in XML") from None
    if root.tag != ROOT:
        raise ValueError(f"its root element is <{root.tag}>, but an archive query's is <{ROOT}>")
