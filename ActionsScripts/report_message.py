"""Action *Report Message*: report a message to Mimecast as spam, malware or phishing."""

from __future__ import annotations

from MimecastAction import ActionResult, run_action
from MimecastActionParameters import ReportMessageParameters
from MimecastConstants import REPORT_TYPES
from MimecastManager import MimecastManager

SUCCESS = 'Successfully reported the following messages in Mimecast: "{message_id}".'


def report(manager: MimecastManager, parameters: ReportMessageParameters) -> ActionResult:
    """Report the message by its tracking ID."""
    manager.report_message(parameters.message_id, REPORT_TYPES[parameters.report_as], parameters.comment)
    return ActionResult(SUCCESS.format(message_id=parameters.message_id))


def main() -> None:
    """Run the action."""
    run_action("Report Message", ReportMessageParameters, report)


if __name__ == "__main__":
    main()
