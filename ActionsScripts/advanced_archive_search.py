"""Action *Advanced Archive Search*: search the archive with a query in Mimecast's own XML."""

from __future__ import annotations

from MimecastAction import ActionResult, run_action
from MimecastActionParameters import AdvancedArchiveSearchParameters
from MimecastManager import MimecastManager
from MimecastSearchResult import search_result


def search(manager: MimecastManager, parameters: AdvancedArchiveSearchParameters) -> ActionResult:
    """Send the query as it was written, read its pages, and report the rows."""
    return search_result(manager.search_archive(parameters.query))


def main() -> None:
    """Run the action."""
    run_action("Advanced Archive Search", AdvancedArchiveSearchParameters, search)


if __name__ == "__main__":
    main()
