"""Action *Reject Message*: reject a message on hold."""

from __future__ import annotations

from MimecastAction import ActionResult, run_action
from MimecastActionParameters import RejectMessageParameters
from MimecastConstants import REJECT_REASONS
from MimecastManager import MimecastManager

SUCCESS = 'Successfully rejected message with ID "{message_id}" in Mimecast.'


def reject(manager: MimecastManager, parameters: RejectMessageParameters) -> ActionResult:
    """Reject the message; its ID may be the held ID or the tracking ID."""
    manager.reject_message(
        parameters.message_id,
        note=parameters.note,
        reason=REJECT_REASONS[parameters.reason],
        notify=parameters.notify_sender,
    )
    return ActionResult(SUCCESS.format(message_id=parameters.message_id))


def main() -> None:
    """Run the action."""
    run_action("Reject Message", RejectMessageParameters, reject)


if __name__ == "__main__":
    main()
