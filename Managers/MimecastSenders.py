"""Blocked and permitted senders, and policies against senders: what is sent, and whether the answer agrees with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from MimecastConstants import (
    CREATE_BLOCK_POLICY,
    MANAGE_SENDER,
    POLICY_FROM_PARTS,
    POLICY_RESPONSES,
    POLICY_TARGET_TYPES,
    POLICY_VALUE_FIELDS,
)
from MimecastEnvelope import Row
from MimecastExceptions import ActionNotAppliedError
from MimecastModels import write_moment
from MimecastTransport import MimecastTransport


@dataclass(frozen=True)
class PolicyTarget:
    """Whom a policy is about, as sender or as recipient.

    Attributes:
        kind: A type as the action's list names it, such as ``Email Domain``.
        value: Address, domain or display name; empty for the types that stand alone.
    """

    kind: str
    value: str = ""

    def as_row(self) -> Row:
        """Return it as Mimecast's API wants it."""
        row: Row = {"type": POLICY_TARGET_TYPES[self.kind]}
        if self.kind in POLICY_VALUE_FIELDS:
            row[POLICY_VALUE_FIELDS[self.kind]] = self.value
        return row


@dataclass(frozen=True)
class BlockSenderPolicy:
    """A policy to create; words of lists are the action's.

    Attributes:
        response: What it does.
        description: Its name in Mimecast's console.
        from_part: Where the sender is looked for, in envelope, header or both.
        sender: Whose mail.
        recipient: Mail to whom.
        bidirectional: Whether it also counts in the other direction.
        enforced: Whether it goes before other policies.
        comment: Free text; empty: none.
        start: From when on it counts; None: always did.
        end: Until when it counts; None: for ever.
    """

    response: str
    description: str
    from_part: str
    sender: PolicyTarget
    recipient: PolicyTarget
    bidirectional: bool
    enforced: bool
    comment: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def as_row(self) -> Row:
        """Return it as Mimecast's API wants it; nothing in it is null."""
        policy: Row = {
            "description": self.description,
            "fromPart": POLICY_FROM_PARTS[self.from_part],
            "from": self.sender.as_row(),
            "to": self.recipient.as_row(),
            "bidirectional": self.bidirectional,
            "enabled": True,
            "enforced": self.enforced,
            "fromEternal": self.start is None,
            "toEternal": self.end is None,
        }
        if self.comment:
            policy["comment"] = self.comment
        if self.start is not None:
            policy["fromDate"] = write_moment(self.start)
        if self.end is not None:
            policy["toDate"] = write_moment(self.end)
        return {"option": POLICY_RESPONSES[self.response], "policy": policy}


def manage_sender(transport: MimecastTransport, sender: str, recipient: str, action: str) -> None:
    """Block or permit a sender for one recipient.

    Args:
        transport: Calls Mimecast.
        sender: Mail address.
        recipient: Mail address.
        action: ``block`` or ``permit``.

    Raises:
        ActionNotAppliedError: Mimecast's answer doesn't agree with what was asked.
        MimecastError: Mimecast can't be reached or refuses.
    """
    rows = transport.call(MANAGE_SENDER, [{"sender": sender, "to": recipient, "action": action}]).rows
    wanted = (sender.casefold(), recipient.casefold(), action)
    if not rows or any(tuple(_text(row, name) for name in ("sender", "to", "type")) != wanted for row in rows):
        raise _disagrees(MANAGE_SENDER.check_hint)


def create_policy(transport: MimecastTransport, policy: BlockSenderPolicy) -> Row:
    """Create a policy.

    Returns:
        The created policy, Mimecast's own row.

    Raises:
        ActionNotAppliedError: Mimecast's answer doesn't agree with what was asked.
        MimecastError: Mimecast can't be reached or refuses.
    """
    asked = policy.as_row()
    rows = transport.call(CREATE_BLOCK_POLICY, [asked]).rows
    if len(rows) != 1 or not _agrees(rows[0], asked):
        raise _disagrees(CREATE_BLOCK_POLICY.check_hint)
    return rows[0]


def _agrees(row: Row, asked: Row) -> bool:
    """Whether a created policy is the one that was asked for: its id, what it does, and to whom."""
    policy = row.get("policy")
    if not row.get("id") or row.get("option") != asked["option"] or not isinstance(policy, dict):
        return False
    for side in ("from", "to"):
        target = policy.get(side)
        if not isinstance(target, dict):
            return False
        if any(_text(target, name) != value.casefold() for name, value in asked["policy"][side].items()):
            return False
    return True


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value.casefold() if isinstance(value, str) else ""


def _disagrees(check_hint: str) -> ActionNotAppliedError:
    return ActionNotAppliedError(f"Mimecast's answer doesn't confirm what was asked for. {check_hint}")
