"""archive/search (facts 3.10)."""

from __future__ import annotations

from datetime import datetime

from devkit.mimecast.archive_query import ArchiveQuery, parse_query
from devkit.mimecast.endpoints_hold import turn_page
from devkit.mimecast.envelope import Answer, Call, GatewayError, Json, flag_of, text_of
from devkit.mimecast.mail import Mail
from devkit.mimecast.rows import archive_row
from devkit.mimecast.tenant import Tenant


def search(tenant: Tenant, call: Call) -> Answer:
    """Archived mails that match, newest first, in pages; without ``admin`` only the caller's own: none."""
    item = call.only_item()
    admin = flag_of(item, "admin", default=False)
    query = parse_query(text_of(item, "query"), tenant.clock())
    if not tenant.archive_enabled:
        raise GatewayError(403, "app_forbidden", "The archive is not part of any product of this account")
    with tenant.lock:
        page = turn_page(
            tenant,
            call,
            query.page_size,
            lambda: archived(tenant, query, tenant.clock()) if admin else [],
            query.first_row,
        )
    rows = [_with_fields(archive_row(mail), query.fields) for mail in page.rows]
    pagination = {"recordStart": page.start, "pageSize": query.page_size} | page.tokens()
    if tenant.archive_shape == "flat":
        return Answer(rows, pagination)
    return Answer([{"items": rows, "queryDuration": 12}], pagination)


def archived(tenant: Tenant, query: ArchiveQuery, now: datetime) -> list[Mail]:
    """All archived mails that match, newest first."""
    found = [
        mail
        for mail in tenant.store.mails
        if (query.start is None or mail.received >= query.start)
        and mail.received <= (query.end or now)
        and mail.received <= now
        and any(row.status == "archived" for row in tenant.store.by_mail[mail.key])
        and all(condition(mail) for condition in query.conditions)
    ]
    return sorted(found, key=lambda mail: (mail.received, mail.key), reverse=True)


def _with_fields(row: Json, fields: list[str]) -> Json:
    return {name: value for name, value in row.items() if name in fields} if fields else row
