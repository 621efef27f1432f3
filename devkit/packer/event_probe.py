"""Prints the keys of the connector's events as JSON: event type to keys. Run as a script, beside the managers."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from MimecastAlert import IngestedMessage, build_events
from MimecastModels import MESSAGE_DETAILS, TRACKED_MESSAGE


def main() -> None:
    """Build the events of a message with one recipient and one component; every event has all its keys always."""
    row = TRACKED_MESSAGE.validate_python({"id": "tracking", "to": [{"emailAddress": "to@example.com"}]})
    components = {"recipientMetaInfo": {"components": [{"fileName": "file.txt"}]}}
    details = MESSAGE_DETAILS.validate_python({"recipientInfo": components})
    events = build_events(IngestedMessage(row, details), datetime.fromtimestamp(0, UTC), sys.argv[1])
    json.dump({str(event[sys.argv[2]]): sorted(event) for event in events}, sys.stdout)


if __name__ == "__main__":
    main()
