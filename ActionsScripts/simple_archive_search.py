"""Action *Simple Archive Search*: search the archive by sender, recipient, subject and time."""

from __future__ import annotations

from MimecastAction import ActionResult, run_action
from MimecastActionParameters import SimpleArchiveSearchParameters
from MimecastArchiveQuery import ArchiveSearch, build_query
from MimecastConstants import PAGE_SIZE
from MimecastManager import MimecastManager
from MimecastSearchResult import search_result


def search(manager: MimecastManager, parameters: SimpleArchiveSearchParameters) -> ActionResult:
    """Build the query, read as many pages as the limit needs, and report the rows."""
    start, end = parameters.frame(manager.now())
    query = build_query(
        ArchiveSearch(
            fields=parameters.fields,
            mailboxes=parameters.mailboxes,
            senders=parameters.senders,
            recipients=parameters.recipients,
            subject=parameters.subject,
            start=start,
            end=end,
            page_size=min(parameters.max_emails, PAGE_SIZE),
        )
    )
    return search_result(manager.search_archive(query, parameters.max_emails))


def main() -> None:
    """Run the action."""
    run_action("Simple Archive Search", SimpleArchiveSearchParameters, search)


if __name__ == "__main__":
    main()
