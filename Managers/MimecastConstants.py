"""Names that are a contract, and the table of Mimecast's endpoints."""

from __future__ import annotations

from dataclasses import dataclass

# The packer rewrites this line when the package is built under another identifier (`dev.py build --identifier`).
INTEGRATION_IDENTIFIER = "Mimecast"
INTEGRATION_DISPLAY_NAME = "Mimecast"
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
