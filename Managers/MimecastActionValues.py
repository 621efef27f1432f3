"""Kinds of values that actions take: list values, addresses, domains, IDs, numbers, times.

Each function returns the clean value or raises ValueError with what is wrong, in words that can follow
``Parameter "…":``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from MimecastArchiveQuery import is_xml_text
from MimecastParameters import is_placeholder
from MimecastTimeFrame import read_time

MAX_MESSAGE_ID_CHARS = 2048
"""Far above any ID of Mimecast's; those that were seen have about 100 to 400 characters."""
MAX_ADDRESS_CHARS = 320
"""Longest mail address: 64 characters, ``@`` and 255 characters (RFC 3696, erratum 1690)."""
_SHOWN_CHARS = 100

_IN_ANGLE_BRACKETS = re.compile(r"^[^<>]*<([^<>]*)>$")
_ADDRESS = re.compile(r'[^\s@<>"(),:;\[\]\\]+@[^\s@<>"(),:;\[\]\\.]+(\.[^\s@<>"(),:;\[\]\\.]+)+')
_DOMAIN = re.compile(r'[^\s@<>"(),:;\[\]\\.]+(\.[^\s@<>"(),:;\[\]\\.]+)+')
_POSITIVE_NUMBER = re.compile(r"0*([1-9][0-9]*)")
_MAX_DIGITS = 18
_NOT_IN_ID = re.compile(r"""[\s"'`<>\x00-\x1f\x7f]""")


def shown(value: str) -> str:
    """Return a value as it stands in an error message: in quotes, on one line, and not too long."""
    line = "".join(sign if sign.isprintable() else "?" for sign in " ".join(value.split()))
    return f'"{line}"' if len(line) <= _SHOWN_CHARS else f'"{line[:_SHOWN_CHARS]}…"'


def refuse_placeholder(value: str) -> None:
    """Refuse a playbook placeholder that was not filled."""
    if is_placeholder(value):
        raise ValueError(f"it is {shown(value)}, a playbook placeholder that was not filled")


@dataclass(frozen=True)
class OneOf:
    """Reads a value of a list, as the form spells it, whatever the case of its letters."""

    options: tuple[str, ...]

    def __call__(self, value: object) -> str:
        """Return the option that a value stands for."""
        text = str(value).strip()
        for option in self.options:
            if option.casefold() == text.casefold():
                return option
        possible = f"Possible values: {', '.join(self.options)}"
        if is_placeholder(text):
            raise ValueError(f"it is {shown(text)}, a playbook placeholder that was not filled. {possible}")
        raise ValueError(f"{shown(text)} is not one of its values. {possible}")


def read_address(value: str) -> str:
    """Read one mail address; a display name around it is dropped."""
    refuse_placeholder(value)
    found = _IN_ANGLE_BRACKETS.match(value)
    address = (found.group(1) if found else value).strip()
    if not _ADDRESS.fullmatch(address) or len(address) > MAX_ADDRESS_CHARS:
        raise ValueError(f"{shown(value)} is no e-mail address")
    return address


def read_domain(value: str) -> str:
    """Read a domain, with or without ``@`` before it."""
    refuse_placeholder(value)
    domain = value.removeprefix("@")
    if not _DOMAIN.fullmatch(domain) or len(domain) > MAX_ADDRESS_CHARS:
        raise ValueError(f"{shown(value)} is no domain such as example.com")
    return domain


def read_address_or_domain(value: str) -> str:
    """Read a mail address, or a whole domain."""
    return read_domain(value) if _DOMAIN.fullmatch(value.removeprefix("@")) else read_address(value)


def read_text_for_xml(value: str) -> str:
    """Read a text that will stand in XML; line breaks in it become blanks."""
    if not is_xml_text(value):
        raise ValueError("it holds characters that can't stand in a query, such as control characters")
    return " ".join(value.split())


def read_message_id(value: str) -> str:
    """Read a tracking ID or held ID; both are opaque."""
    refuse_placeholder(value)
    if "@" in value:
        raise ValueError(
            f"{shown(value)} looks like an internet Message-ID; give the message's tracking ID or held ID instead"
        )
    if _NOT_IN_ID.search(value):
        raise ValueError("blanks, line breaks, quotes and angle brackets can't be part of an ID; give one ID alone")
    if len(value) > MAX_MESSAGE_ID_CHARS:
        raise ValueError(f"it has {len(value)} characters; no ID has more than {MAX_MESSAGE_ID_CHARS}")
    return value


def read_positive_number(value: object) -> int:
    """Read a whole number from 1 up."""
    text = str(value).strip()
    found = _POSITIVE_NUMBER.fullmatch(text)
    if not found:
        raise ValueError(f"{shown(text)} is not a whole number from 1 up")
    # Python refuses to read numbers of thousands of digits; for a limit, 18 digits are as good as more.
    return int(found.group(1)[:_MAX_DIGITS])


def read_iso_time(value: object) -> datetime:
    """Read an ISO 8601 time."""
    text = str(value).strip()
    refuse_placeholder(text)
    try:
        return read_time(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} can't be used: {error}") from None
