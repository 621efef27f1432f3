"""One customer of the embedded Mimecast: credentials, rights, settings, mail, and a log of what was done."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from devkit.mimecast.faults import Fault, FaultPlan, RateLimit
from devkit.mimecast.ledger import Ledger, RequestRecord
from devkit.mimecast.mail import Mail
from devkit.mimecast.mailstore import MailStore, TrackedRow
from devkit.mimecast.paging import PageBook

READ_ACCOUNT = "Account | Dashboard | Read"
READ_TRACKING = "Gateway | Tracking | Read"
EDIT_HELD = "Account | Monitoring | Held | Edit"
EDIT_MANAGED_SENDERS = "Gateway | Managed Senders | Edit"
EDIT_POLICIES = "Gateway | Policies | Edit"
SEARCH_ARCHIVE = "Archive | Search | Read"
PERMISSIONS = frozenset({READ_ACCOUNT, READ_TRACKING, EDIT_HELD, EDIT_MANAGED_SENDERS, EDIT_POLICIES, SEARCH_ARCHIVE})

TOKEN_LIFETIME_S = 1799  # as in the recorded answer of oauth/token
CLOCK_SKEW_S = 15 * 60  # Mimecast publishes no number (facts 1.1); this is what signing schemes usually allow
HOLD_PAGE_DEFAULT = 25
PAGE_CEILING = 100  # what peers assume (facts 2.2)
DOWNLOAD_LIFETIME_S = 600


def utc_now() -> datetime:
    """The present."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Credentials:
    """Credentials of both APIs; the defaults are for demonstrations and protect nothing."""

    application_id: str = "demo-application-id"
    application_key: str = "demo-application-key"
    access_key: str = "demo-access-key"
    secret_key: str = base64.b64encode(b"demo secret key of the embedded Mimecast").decode()
    client_id: str = "demo-client-id"
    client_secret: str = "demo-client-secret"  # noqa: S105 - a demonstration value, public on purpose


@dataclass(frozen=True)
class Rejection:
    """A held message that was rejected."""

    held_id: str
    message: str | None
    reason_type: str | None
    notify: bool


@dataclass(frozen=True)
class Report:
    """A message that was reported."""

    tracking_id: str
    kind: str
    comment: str | None


@dataclass(frozen=True)
class ManagedSender:
    """A sender permitted or blocked for one recipient."""

    sender: str
    to: str
    action: str


@dataclass(frozen=True)
class LeakedCredential:
    """A credential that arrived where it must never go."""

    path: str
    header: str


@dataclass
class Tenant:
    """Everything the embedded Mimecast knows. Its attributes may be changed while it serves.

    Attributes:
        clock: The present (aware); decides what is searchable, what has expired and what a valid date is.
        credentials: What is accepted.
        permissions: Rights of the role; without one its endpoints answer 403 (API 1.0) or ``app_forbidden`` (2.0).
        unavailable: Paths that this tenant hasn't got: 404 (1.0) or ``app_forbidden`` (2.0).
        access_key_expired: Whether API 1.0 answers 418.
        token_lifetime_s: Lifetime of a bearer token.
        search_cap: At most so many rows in an answer of message-finder/search; None = all.
        search_order: Which rows such an answer begins with.
        hold_page_default: Rows a page of the hold queue if the request names no size.
        page_ceiling: Most rows a page of the hold queue, whatever the request says.
        release_accepts_tracking_id: Whether hold-release and hold-reject take a tracking ID too (facts 4, question 1).
        archive_enabled: Whether the archive is licensed.
        archive_shape: Rows of archive/search in ``data[0].items`` or flat in ``data`` (facts 3.10).
        file_answer: Whether gateway/message/get-file answers with a link or with the bytes.
        download_host: Host name in that link; None = the one that was asked.
        redirect_host: Host name to which the download redirects; None = it doesn't.
        download_single_use: Whether a link works once only.
        latency_s: How long each answer takes.
        rate_limit: The quota, None = no limit.
    """

    clock: Callable[[], datetime] = utc_now
    credentials: Credentials = field(default_factory=Credentials)
    permissions: set[str] = field(default_factory=lambda: set(PERMISSIONS))
    unavailable: set[str] = field(default_factory=set)
    access_key_expired: bool = False
    token_lifetime_s: int = TOKEN_LIFETIME_S
    search_cap: int | None = None
    search_order: Literal["newest", "oldest"] = "newest"
    hold_page_default: int = HOLD_PAGE_DEFAULT
    page_ceiling: int = PAGE_CEILING
    release_accepts_tracking_id: bool = False
    archive_enabled: bool = True
    archive_shape: Literal["items", "flat"] = "items"
    file_answer: Literal["link", "bytes"] = "link"
    download_host: str | None = None
    redirect_host: str | None = None
    download_single_use: bool = False
    latency_s: float = 0.0
    rate_limit: RateLimit | None = None

    faults: FaultPlan = field(default_factory=FaultPlan, init=False)
    ledger: Ledger = field(default_factory=Ledger, init=False)
    store: MailStore = field(default_factory=MailStore, init=False)
    pages: PageBook = field(default_factory=PageBook, init=False)
    lock: threading.RLock = field(default_factory=threading.RLock, init=False)

    released: list[str] = field(default_factory=list, init=False)
    rejected: list[Rejection] = field(default_factory=list, init=False)
    sandboxed: list[str] = field(default_factory=list, init=False)
    reported: list[Report] = field(default_factory=list, init=False)
    managed_senders: list[ManagedSender] = field(default_factory=list, init=False)
    policies: list[dict[str, Any]] = field(default_factory=list, init=False)
    leaked_credentials: list[LeakedCredential] = field(default_factory=list, init=False)
    tokens_issued: int = field(default=0, init=False)
    _tokens: dict[str, float] = field(default_factory=dict, init=False)
    _links: dict[str, tuple[str, float]] = field(default_factory=dict, init=False)

    # -- mail

    def add(self, *mails: Mail) -> list[TrackedRow]:
        """Adds mails.

        Returns:
            Their rows; their tracking and held IDs are what an analyst would see.
        """
        with self.lock:
            return [row for mail in mails for row in self.store.add(mail)]

    def set_status(self, what: Mail | str, status: str) -> None:
        """Moves a mail, or the row with this tracking ID, to another status."""
        with self.lock:
            self.store.set_status(what, status)

    def rows(self, *mails: Mail) -> list[TrackedRow]:
        """Rows of these mails, or all."""
        with self.lock:
            if not mails:
                return list(self.store.by_tracking_id.values())
            return [row for mail in mails for row in self.store.by_mail[mail.key]]

    # -- requests

    @property
    def requests(self) -> list[RequestRecord]:
        """All requests since the last reset of the counts."""
        return self.ledger.records

    @property
    def max_in_flight(self) -> int:
        """Most requests under way at one time."""
        return self.ledger.max_in_flight

    def count(self, path: str | None = None) -> int:
        """How many requests came, in all or to one path."""
        return self.ledger.count(path)

    def reset_counts(self) -> None:
        """Forgets the requests so far."""
        self.ledger.reset()

    def fault(self, *faults: Fault) -> None:
        """Asks for faults."""
        self.faults.add(*faults)

    # -- tokens and links

    def issue_token(self) -> str:
        """A new bearer token."""
        token = secrets.token_urlsafe(21)
        with self.lock:
            self._tokens[token] = self.clock().timestamp() + self.token_lifetime_s
            self.tokens_issued += 1
        return token

    def token_state(self, token: str) -> Literal["good", "expired", "unknown"]:
        """What a bearer token is worth now."""
        ends = self._tokens.get(token)
        if ends is None:
            return "unknown"
        return "good" if self.clock().timestamp() < ends else "expired"

    def revoke_tokens(self) -> None:
        """All tokens so far count as expired."""
        with self.lock:
            self._tokens = dict.fromkeys(self._tokens, float("-inf"))

    def issue_link(self, attachment: str) -> str:
        """The secret part of a short-lived download link."""
        secret = secrets.token_urlsafe(24)
        with self.lock:
            self._links[secret] = (attachment, self.clock().timestamp() + DOWNLOAD_LIFETIME_S)
        return secret

    def follow_link(self, secret: str) -> str | None:
        """The attachment ID behind a link; None if there is no such link or it has ended."""
        with self.lock:
            attachment, ends = self._links.get(secret, (None, 0.0))
            if attachment is None or self.clock().timestamp() >= ends:
                return None
            if self.download_single_use:
                del self._links[secret]
            return attachment

    def note_leaks(self, path: str, headers: Iterable[str]) -> None:
        """Remembers credentials that arrived where they must not."""
        with self.lock:
            self.leaked_credentials.extend(LeakedCredential(path, header) for header in headers)
