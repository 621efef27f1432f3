"""Names that are a contract, and the table of Mimecast's endpoints."""

from __future__ import annotations

from dataclasses import dataclass

# The packer rewrites this line when the package is built under another identifier (`dev.py build --identifier`).
INTEGRATION_IDENTIFIER = "Mimecast"
CONNECTOR_NAME = "Mimecast - Message Tracking Connector"
VENDOR = "Mimecast"
PRODUCT = "Mimecast"

API_1 = "API 1.0"
API_2 = "API 2.0"


@dataclass(frozen=True)
class Endpoint:
    """One function of Mimecast's API.

    Attributes:
        path: Path below the API Root; it is also what API 1.0 signs.
        permission: The right that the role needs, as Mimecast's console names it.
        is_write: Whether it changes something. A write that may have been executed is never sent a second time.
        check_hint: Where a person can see whether a write was made; shown when its outcome is unknown.
        api_2: Whether API 2.0 has it too.
    """

    path: str
    permission: str
    is_write: bool = False
    check_hint: str = ""
    api_2: bool = True


GET_ACCOUNT = Endpoint("/api/account/get-account", "Account | Dashboard | Read")
SEARCH_TRACKING = Endpoint("/api/message-finder/search", "Gateway | Tracking | Read")
GET_MESSAGE_INFO = Endpoint("/api/message-finder/get-message-info", "Gateway | Tracking | Read")
GET_HOLD_LIST = Endpoint("/api/gateway/get-hold-message-list", "Account | Dashboard | Read")
GET_HELD_DETAIL = Endpoint("/api/gateway/message/get-message-detail", "Account | Dashboard | Read")
GET_HELD_FILE = Endpoint("/api/gateway/message/get-file", "Account | Dashboard | Read")
SEARCH_ARCHIVE = Endpoint("/api/archive/search", "Archive | Search | Read")

_EDIT_HELD = "Account | Monitoring | Held | Edit"
_CHECK_HELD = (
    'To check: Mimecast\'s Administration Console lists the message under "Message Center | Held Messages" as long as '
    "it is on hold."
)
_CHECK_TRACKED = (
    'To check: look at the message in Mimecast\'s Administration Console, under "Message Center | Message Tracking".'
)
RELEASE_HELD = Endpoint("/api/gateway/hold-release", _EDIT_HELD, is_write=True, check_hint=_CHECK_HELD)
REJECT_HELD = Endpoint("/api/gateway/hold-reject", _EDIT_HELD, is_write=True, check_hint=_CHECK_HELD)
MANAGE_SENDER = Endpoint(
    "/api/managedsender/permit-or-block-sender",
    "Gateway | Managed Senders | Edit",
    is_write=True,
    check_hint='To check: look for the entry in Mimecast\'s Administration Console, under "Managed Senders".',
)
CREATE_BLOCK_POLICY = Endpoint(
    "/api/policy/blockedsenders/create-policy",
    "Gateway | Policies | Edit",
    is_write=True,
    check_hint="To check: look for the policy in Mimecast's Administration Console, under \"Gateway | Policies | "
    'Blocked Senders", before you create it again; Mimecast would make a second one.',
)
# Functions of Mimecast's console that nobody documents (facts 3.4): API 1.0 only, and they take tracking IDs.
RELEASE_TO_SANDBOX = Endpoint(
    "/api/message-finder/release-held-email-to-sandbox",
    _EDIT_HELD,
    is_write=True,
    check_hint=_CHECK_TRACKED,
    api_2=False,
)
REPORT_MESSAGE = Endpoint(
    "/api/message-finder/report-message", _EDIT_HELD, is_write=True, check_hint=_CHECK_TRACKED, api_2=False
)

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path, not a secret

PAGE_SIZE = 100  # the ceiling that every paged function is known to accept (facts 2.2)

# --- message tracking: words of Mimecast's API -----------------------------------------------------------------------
STATUSES = ("delivery", "held", "accepted", "bounced", "deferred", "rejected", "archived")
ROUTES = ("internal", "outbound", "inbound")
STATUS_HELD = "held"

# Risk words, weakest first, with the platform's priority of an alert.
PRIORITY_INFORMATIONAL = -1
RISK_PRIORITIES = {"negligible": PRIORITY_INFORMATIONAL, "low": 40, "medium": 60, "high": 80}
RISKS = tuple(RISK_PRIORITIES)

# --- actions: values of their lists, and the words of Mimecast's API for them ----------------------------------------
TIME_FRAME_CUSTOM = "Custom"
TIME_FRAMES = ("Last Hour", "Last 6 Hours", "Last 24 Hours", "Last Week", "Last Month", TIME_FRAME_CUSTOM)

REJECT_REASONS = {
    "Select One": "",  # sends no reason
    "Inappropriate Communication": "INAPPROPRIATE COMMUNICATION",
    "Confidential Information": "MESSAGE CONTAINS CONFIDENTIAL INFORMATION",
    "Against Email Policy": "MESSAGE GOES AGAINST EMAIL POLICIES",
    "Restricted Content": "REVIEWER DISAPPROVES OF CONTENT",
}
REPORT_TYPES = {"Spam": "spam", "Malware": "malware", "Phishing": "phishing"}

POLICY_RESPONSES = {"Block Sender": "block_sender", "No Action": "no_action"}
POLICY_FROM_PARTS = {"Both": "both", "From Envelope": "envelope_from", "From Headers": "header_from"}
EVERYONE = "Everyone"
EMAIL_ADDRESS = "Email Address"
EMAIL_DOMAIN = "Email Domain"
HEADER_DISPLAY_NAME = "Header Display Name"
POLICY_TARGET_TYPES = {
    EVERYONE: "everyone",
    EMAIL_ADDRESS: "individual_email_address",
    EMAIL_DOMAIN: "email_domain",
    HEADER_DISPLAY_NAME: "header_display_name",
    "Internal Addresses": "internal_addresses",
    "External Addresses": "external_addresses",
}
# The field of a policy's sender or recipient that holds its value; the other types stand alone.
POLICY_VALUE_FIELDS = {
    EMAIL_ADDRESS: "emailAddress",
    EMAIL_DOMAIN: "emailDomain",
    HEADER_DISPLAY_NAME: "headerDisplayName",
}
