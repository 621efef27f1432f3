"""What an archive search reports: rows, table and message, the same for both searches."""

from __future__ import annotations

from MimecastAction import ActionResult
from MimecastArchive import MAX_PAGES, FoundEmails
from MimecastResultTable import MAX_RESULT_CHARS, rows_that_fit, table

FOUND = "Successfully found archive emails for the provided criteria in Mimecast."
NOTHING_FOUND = "No archive emails were found for the provided criteria in Mimecast."
TABLE = "Results"

_CHARS_PER_MB = 1024 * 1024


def search_result(found: FoundEmails) -> ActionResult:
    """Report the emails that were found, or as many of the first as the platform can take."""
    if not found.rows:
        return ActionResult(NOTHING_FOUND, json=[])
    rows = found.rows[: rows_that_fit(found.rows)]
    message = FOUND
    if len(rows) < len(found.rows) or found.cut_short:
        wanted = str(len(found.rows))
        if found.cut_short:
            wanted = str(found.total) if found.total is not None else f"more than {wanted}"
        message += (
            f" Only the first {len(rows)} of {wanted} are shown: a result holds {MAX_RESULT_CHARS // _CHARS_PER_MB} MB "
            f"at most, and a run reads {MAX_PAGES} pages at most. Narrow the search to get the others."
        )
    return ActionResult(message, json=rows, tables={TABLE: table(rows)})
