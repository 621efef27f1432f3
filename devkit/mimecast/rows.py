"""The JSON shapes of the API's rows (facts 3.2, 3.3, 3.7, 3.8, 3.10, with the recorded answers named there)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from devkit.mimecast.mail import (
    ARCHIVE_ID_BYTES,
    ATTACHMENT_ID_BYTES,
    DEFAULT_INFO,
    AttachedFile,
    Mail,
    opaque_id,
)
from devkit.mimecast.mailstore import TrackedRow

Json = dict[str, Any]

PROCESSING_SERVER = "uk-mta-12.uk.mimecast.example"
DETECTION_LEVEL = "relaxed"
RETENTION = timedelta(days=30)
# Blocks of get-message-info; every one of them is optional.
DETAIL_BLOCKS = ("recipientInfo", "deliveredMessage", "retentionInfo", "spamInfo", "queueInfo")
DELIVERED_STATUSES = frozenset({"accepted", "archived", "delivery", "bulk_delivery"})


def mimecast_time(moment: datetime) -> str:
    """A time as Mimecast writes it: UTC, numeric zone without colon, no fraction (facts 2.6)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def to_the_minute(moment: datetime) -> str:
    """A time as tracked rows show it: seconds are cut off."""
    return mimecast_time(moment.replace(second=0, microsecond=0))


def merged(base: Json, over: Mapping[str, Any]) -> Json:
    """The first object with the second laid over it, objects within objects too."""
    result = dict(base)
    for key, value in over.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return result


def info_of(row: TrackedRow) -> str:
    """The row's ``info``; the mail's own text belongs to the status that it came with."""
    mail = row.mail
    came_with = mail.status if isinstance(mail.status, str) else mail.status.get(row.recipient or "")
    if mail.info and row.status == came_with:
        return mail.info
    return DEFAULT_INFO.get(row.status, "")


def tracked_row(row: TrackedRow) -> Json:
    """One of message-finder/search's ``trackedEmails``."""
    mail = row.mail
    shown: Json = {"info": info_of(row), "id": row.tracking_id, "status": row.status}
    if mail.envelope_sender is not None:
        shown["fromEnv"] = _address(mail, mail.envelope_sender)
    shown["fromHdr"] = _address(mail, mail.sender)
    if not mail.odd.no_to:
        shown["to"] = [_address(mail, row.recipient)] if row.recipient else []
    shown.update(
        received=to_the_minute(mail.received),
        subject=mail.subject,
        senderIP=mail.sender_ip,
        attachments=bool(mail.attachments),
        route=mail.route,
        sent=to_the_minute(mail.sent or mail.received),
        spamScore=mail.spam_score,
        detectionLevel=DETECTION_LEVEL if mail.route == "inbound" else "",
    )
    return merged(shown, mail.odd.tracked) if mail.odd.tracked else shown


def _address(mail: Mail, address: str) -> Json:
    if mail.odd.no_names:
        return {"emailAddress": address}
    return {"displayableName": mail.names.get(address, ""), "emailAddress": address}


def message_details(row: TrackedRow, *, with_content: bool) -> Json:
    """The answer of message-finder/get-message-info for one tracked row.

    Args:
        row: Which.
        with_content: Whether bodies and attachments are listed. Recorded answers to requests with ``loadContent`` have
            them, those without don't.

    Returns:
        The item of the answer's ``data``.
    """
    mail = row.mail
    shown: Json = {"id": row.tracking_id, "status": row.status}
    if mail.odd.null_blocks:
        shown.update(dict.fromkeys(DETAIL_BLOCKS))
        return merged(shown, mail.odd.details)
    shown["recipientInfo"] = _recipient_info(row, with_content)
    shown["retentionInfo"] = _retention_info(mail) if row.status == "archived" else {}
    shown["spamInfo"] = _spam_info(mail)
    if row.status in DELIVERED_STATUSES and row.recipient:
        shown["deliveredMessage"] = {row.recipient: _delivered_message(row, with_content)}
    if row.status in ("held", "rejected") and not mail.odd.no_queue_info:
        shown["queueInfo"] = _queue_info(row)
    return merged(shown, mail.odd.details) if mail.odd.details else shown


def _message_info(row: TrackedRow, with_content: bool) -> Json:
    mail = row.mail
    shown: Json = {
        "fromHeader": mail.sender,
        "fromEnvelope": mail.envelope_sender,
        "to": [row.recipient] if row.recipient else [],
        "cc": list(mail.cc),
        "subject": mail.subject,
        "sent": mimecast_time(mail.sent or mail.received),
        "processed": mimecast_time(mail.received),
        "route": mail.route,
    }
    if with_content:
        shown["attachments"] = [
            {"filename": file.filename, "size": len(file.content), "contentType": file.content_type}
            for file in mail.attachments
        ]
        shown["htmlBody"], shown["textBody"] = mail.html, mail.text
    if not mail.odd.no_transmission_info:
        shown["transmissionInfo"] = mail.transmission_info
    return shown


def _recipient_info(row: TrackedRow, with_content: bool) -> Json:
    mail = row.mail
    shown: Json = {"messageInfo": _message_info(row, with_content)}
    if row.status == "held":
        shown["txInfo"] = {
            "queueDetailStatus": info_of(row),
            "actualSize": mail.size,
            "deliveryType": "smtp",
            "processingServer": PROCESSING_SERVER,
            "remoteIp": mail.sender_ip,
            "returnPath": mail.envelope_sender,
            "to": row.recipient,
            "transmissionSize": mail.size,
            "transmissionComponents": [
                {"fileName": file.filename, "fileType": kind, "hash": file.sha256, "txSize": len(file.content)}
                for kind, file in mail.components
            ],
        }
    else:
        shown["recipientMetaInfo"] = {
            "receiptEvent": "Email Received",
            "spamEvent": "na",
            "messageExpiresIn": 7,
            "processingServer": PROCESSING_SERVER,
            "transmissionSize": mail.size,
            "binaryEmailSize": mail.size,
            "remoteIp": mail.sender_ip,
            "remoteHost": f"mail.{mail.sender.rpartition('@')[2]}",
            "encryptionInfo": "TLS",
            "components": _components(mail),
        }
    return shown


def _components(mail: Mail) -> list[Json]:
    return [
        {
            "type": kind,
            "name": file.filename,
            "extension": file.extension,
            "mimeType": file.content_type,
            "size": len(file.content),
            "hash": file.sha256,
        }
        for kind, file in mail.components
    ]


def _delivered_message(row: TrackedRow, with_content: bool) -> Json:
    return {
        "messageInfo": _message_info(row, with_content),
        "policyInfo": [{"policyType": "Spam Scanning", "policyName": "Relaxed Spam Detection", "inherited": False}],
        "deliveryMetaInfo": {
            "deliveryEvent": "Email Delivered",
            "emailAddress": row.recipient,
            "processingServer": PROCESSING_SERVER,
            "components": _components(row.mail),
        },
    }


def _retention_info(mail: Mail) -> Json:
    purge = mimecast_time(mail.received + RETENTION)
    return {
        "currentPurgeDate": purge,
        "originalPurgeDate": purge,
        "purgeBasedOn": "original",
        "retentionAdjustmentDays": -1,
        "litigationHoldInfo": [],
        "fbrStamps": [],
        "fbrExpireCheck": [],
        "smartTags": [],
        "audits": [],
    }


def _spam_info(mail: Mail) -> Json:
    shown: Json = {"spamScore": mail.spam_score, "detectionLevel": DETECTION_LEVEL}
    if mail.route == "inbound":
        shown["spamProcessingDetail"] = {
            "rbl": {"allow": True, "info": ""},
            "greyEmail": False,
            "spf": {"allow": True, "info": "pass"},
            "dkim": {"allow": True, "info": "unknown"},
            "dmarc": {"allow": True, "info": "unknown"},
            "permittedSender": {"allow": True, "info": "none"},
            "managedSender": {"allow": True, "info": "unknown"},
        }
    if mail.verdict is not None:
        shown.setdefault("spamProcessingDetail", {})["verdict"] = dict(mail.verdict)
    return shown


def _queue_info(row: TrackedRow) -> Json:
    mail = row.mail
    return {
        "id": f"{mail.message_id.strip('<>')}-{row.received_s}",
        "reason": mail.queue_reason,
        "route": mail.route,
        "size": mail.size,
        "subject": mail.subject,
        "to": row.recipient,
        "remoteIp": mail.sender_ip,
        "mtaServerName": PROCESSING_SERVER,
        "type": 1,
    }


def held_row(row: TrackedRow) -> Json:
    """One row of gateway/get-hold-message-list; here ``to`` is one object and ``route`` is upper case."""
    mail = row.mail
    reason = info_of(row)
    code = "_".join(word for word in reason.lower().replace("-", " ").split())
    return {
        "id": row.held_id,
        "reason": reason,
        "reasonId": code.upper(),
        "reasonCode": code,
        "from": _address(mail, mail.envelope_sender or "<>"),
        "fromHeader": _address(mail, mail.sender),
        "to": _address(mail, row.recipient or ""),
        "subject": mail.subject,
        "route": mail.route.upper(),
        "hasAttachments": bool(mail.attachments),
        "size": mail.size,
        "dateReceived": mimecast_time(mail.received),
        "policyInfo": mail.queue_reason,
    }


def attachment_id(row: TrackedRow, position: int) -> str:
    """The ID by which gateway/message/get-file knows one file of a held message."""
    return opaque_id(ATTACHMENT_ID_BYTES, "attachment", row.held_id, str(position))


def attachment_row(row: TrackedRow, position: int, file: AttachedFile) -> Json:
    """One of the ``attachments`` of gateway/message/get-message-detail."""
    return {
        "id": attachment_id(row, position),
        "filename": file.filename,
        "size": len(file.content),
        "extension": file.extension,
        "contentType": file.content_type,
        "contentId": "",
        "sha256": file.sha256,
        "bodyType": 5,
    }


def archive_row(mail: Mail) -> Json:
    """One row of archive/search with all its fields."""
    return {
        "size": mail.size,
        "attachmentcount": len(mail.attachments),
        "subject": mail.subject,
        "displayfrom": mail.names.get(mail.sender) or mail.sender,
        "displayfromaddress": mail.sender,
        "displayto": "; ".join(mail.names.get(address) or address for address in mail.recipients),
        "displaytoaddresslist": [_address(mail, address) for address in mail.recipients],
        "id": opaque_id(ARCHIVE_ID_BYTES, "archive", mail.key),
        "smash": opaque_id(24, "smash", mail.key),
        "receiveddate": mimecast_time(mail.received),
        "status": "ARCHIVED",
    }
