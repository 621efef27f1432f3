"""Parameters of the actions: one model each, with the form's names as aliases. What they refuse is never sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from MimecastActionValues import (
    OneOf,
    read_address,
    read_address_or_domain,
    read_domain,
    read_iso_time,
    read_message_id,
    read_positive_number,
    read_text_for_xml,
    refuse_placeholder,
)
from MimecastArchiveQuery import check_query
from MimecastConstants import (
    EMAIL_ADDRESS,
    EMAIL_DOMAIN,
    EVERYONE,
    POLICY_FROM_PARTS,
    POLICY_RESPONSES,
    POLICY_TARGET_TYPES,
    POLICY_VALUE_FIELDS,
    REJECT_REASONS,
    REPORT_TYPES,
    TIME_FRAME_CUSTOM,
    TIME_FRAMES,
)
from MimecastExceptions import ValidationError
from MimecastParameters import Boolean, CsvList, MandatoryText, Parameters, Text
from MimecastTimeFrame import named_frame

DEFAULT_MAX_EMAILS = 50


def _each_address(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(read_address(value) for value in values))


def _each_address_or_domain(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(read_address_or_domain(value) for value in values))


def _some_fields(values: Sequence[str]) -> tuple[str, ...]:
    if not values:
        raise ValueError("at least one field is needed")
    return tuple(read_text_for_xml(value) for value in values)


def _well_formed(value: str) -> str:
    check_query(value)
    return value


def _named_time(name: str, text: str) -> datetime:
    try:
        return read_iso_time(text)
    except ValueError as error:
        raise ValueError(f'Parameter "{name}": {error}.') from None


MessageId = Annotated[MandatoryText, AfterValidator(read_message_id)]
Address = Annotated[MandatoryText, AfterValidator(read_address)]
Time = Annotated[datetime | None, BeforeValidator(read_iso_time)]


# --- archive search --------------------------------------------------------------------------------------------------


class SimpleArchiveSearchParameters(Parameters):
    """Parameters of *Simple Archive Search*."""

    fields: Annotated[CsvList, AfterValidator(_some_fields)] = Field(alias="Fields To Return")
    mailboxes: Annotated[CsvList, AfterValidator(_each_address)] = Field((), alias="Mailboxes")
    senders: Annotated[CsvList, AfterValidator(_each_address_or_domain)] = Field((), alias="From")
    recipients: Annotated[CsvList, AfterValidator(_each_address_or_domain)] = Field((), alias="To")
    subject: Annotated[Text, AfterValidator(read_text_for_xml)] = Field("", alias="Subject")
    time_frame: Annotated[str, BeforeValidator(OneOf(TIME_FRAMES))] = Field(alias="Time Frame")
    start_time: Text = Field("", alias="Start Time")
    end_time: Text = Field("", alias="End Time")
    max_emails: Annotated[int, BeforeValidator(read_positive_number)] = Field(
        DEFAULT_MAX_EMAILS, alias="Max Emails To Return"
    )

    @model_validator(mode="after")
    def _usable_frame(self) -> SimpleArchiveSearchParameters:
        """Check the two times if they count; the other time frames ignore them."""
        if self.time_frame == TIME_FRAME_CUSTOM:
            if not self.start_time:
                raise ValueError(
                    '"Start Time" should be provided, when "Custom" is selected in "Time Frame" parameter.'
                )
            self._custom_times()
        return self

    def _custom_times(self) -> tuple[datetime, datetime | None]:
        end = _named_time("End Time", self.end_time) if self.end_time else None
        return _named_time("Start Time", self.start_time), end

    def frame(self, now: datetime) -> tuple[datetime, datetime]:
        """Return start and end of the search.

        Args:
            now: The present moment, aware; the end if none was given.

        Raises:
            ValidationError: The end is before the start.
        """
        if self.time_frame != TIME_FRAME_CUSTOM:
            return named_frame(self.time_frame, now)
        start, end = self._custom_times()
        if (end or now) < start:
            ends = f"({self.end_time})" if end else f"(empty, so the present: {now:%Y-%m-%dT%H:%M:%SZ})"
            raise ValidationError(f'"End Time" {ends} is before "Start Time" ({self.start_time}).')
        return start, end or now


class AdvancedArchiveSearchParameters(Parameters):
    """Parameters of *Advanced Archive Search*."""

    query: Annotated[MandatoryText, AfterValidator(_well_formed)] = Field(alias="XML Query")


# --- held messages ---------------------------------------------------------------------------------------------------


class RejectMessageParameters(Parameters):
    """Parameters of *Reject Message*."""

    message_id: MessageId = Field(alias="Message ID")
    note: Text = Field("", alias="Note")
    reason: Annotated[str, BeforeValidator(OneOf(tuple(REJECT_REASONS)))] = Field("Select One", alias="Reason")
    notify_sender: Boolean = Field(False, alias="Notify Sender")


class ReleaseMessageParameters(Parameters):
    """Parameters of *Release Message*."""

    message_id: MessageId = Field(alias="Message ID")
    to_sandbox: Boolean = Field(False, alias="Release To Sandbox")


class ReportMessageParameters(Parameters):
    """Parameters of *Report Message*."""

    message_id: MessageId = Field(alias="Message ID")
    report_as: Annotated[str, BeforeValidator(OneOf(tuple(REPORT_TYPES)))] = Field("Spam", alias="Report As")
    comment: Text = Field("", alias="Comment")


# --- senders ---------------------------------------------------------------------------------------------------------


class ManagedSenderParameters(Parameters):
    """Parameters of *Block Sender* and *Permit Sender*."""

    sender: Address = Field(alias="Sender")
    recipient: Address = Field(alias="Recipient")


PolicyTargetType = Annotated[str, BeforeValidator(OneOf(tuple(POLICY_TARGET_TYPES)))]


def _policy_value(kind: str, value: str) -> str:
    if kind == EMAIL_ADDRESS:
        return read_address(value)
    if kind == EMAIL_DOMAIN:
        return read_domain(value)
    refuse_placeholder(value)
    return " ".join(value.split())


def _policy_target(name: str, kind: str, value: str) -> str:
    """The checked value of a policy's sender or recipient; empty for the types that stand alone."""
    if kind not in POLICY_VALUE_FIELDS:
        return ""
    if not value:
        raise ValueError(f'Parameter "{name}": a value is needed, because "{name} Type" is "{kind}".')
    try:
        return _policy_value(kind, value)
    except ValueError as error:
        raise ValueError(f'Parameter "{name}": {error}, but "{name} Type" is "{kind}".') from None


class BlockSenderPolicyParameters(Parameters):
    """Parameters of *Create Block Sender Policy*."""

    response: Annotated[str, BeforeValidator(OneOf(tuple(POLICY_RESPONSES)))] = Field("Block Sender", alias="Response")
    description: MandatoryText = Field(alias="Description")
    extracted_data: Annotated[str, BeforeValidator(OneOf(tuple(POLICY_FROM_PARTS)))] = Field(
        "Both", alias="Extracted Data"
    )
    sender: Text = Field("", alias="Sender")
    sender_type: PolicyTargetType = Field(EMAIL_DOMAIN, alias="Sender Type")
    recipient: Text = Field("", alias="Recipient")
    recipient_type: PolicyTargetType = Field(EMAIL_DOMAIN, alias="Recipient Type")
    comment: Text = Field("", alias="Comment")
    bidirectional: Boolean = Field(True, alias="Bidirectional")
    enforced: Boolean = Field(True, alias="Enforced")
    start_time: Time = Field(None, alias="Start Time")
    end_time: Time = Field(None, alias="End Time")

    @model_validator(mode="after")
    def _consistent(self) -> BlockSenderPolicyParameters:
        _policy_target("Sender", self.sender_type, self.sender)
        _policy_target("Recipient", self.recipient_type, self.recipient)
        if self.start_time and self.end_time and self.end_time <= self.start_time:
            raise ValueError('"End Time" must be after "Start Time".')
        if self.response == "Block Sender" and self.sender_type == self.recipient_type == EVERYONE:
            raise ValueError(
                'A policy with the response "Block Sender" from "Everyone" to "Everyone" would stop all mail of the '
                'organization, so it is not created. Narrow "Sender Type" or "Recipient Type".'
            )
        return self

    @property
    def sender_value(self) -> str:
        """The sender's address, domain or name; empty for the types that stand alone."""
        return _policy_target("Sender", self.sender_type, self.sender)

    @property
    def recipient_value(self) -> str:
        """The recipient's address, domain or name; empty for the types that stand alone."""
        return _policy_target("Recipient", self.recipient_type, self.recipient)
