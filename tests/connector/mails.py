"""Mails for the connector's tests."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from devkit.mimecast.mail import AttachedFile, Mail

_numbers = itertools.count(1)


def held_mail(received: datetime, **changes: Any) -> Mail:
    """One inbound mail on hold, unlike every other."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "message_id": f"<{number}@sender.example>",
        "sender": f"sender{number}@sender.example",
        "recipients": [f"user{number}@corp.example"],
        "received": received,
        "subject": f"Invoice {number}",
        "text": f"Hello, this is mail {number}",
    }
    return Mail(**(values | changes))


def held_mails(count: int, start: datetime, step: timedelta = timedelta(seconds=1), **changes: Any) -> list[Mail]:
    """Several such mails, one after the other."""
    return [held_mail(start + index * step, **changes) for index in range(count)]


def attachment(size: int = 1000, name: str = "invoice.pdf") -> AttachedFile:
    """A file of a certain size."""
    return AttachedFile(name, bytes(index % 251 for index in range(min(size, 251))) * (size // 251 + 1))
