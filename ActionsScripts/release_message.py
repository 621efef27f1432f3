"""Action *Release Message*: release a message on hold to its recipient, or to the sandbox."""

from __future__ import annotations

from MimecastAction import ActionResult, run_action
from MimecastActionParameters import ReleaseMessageParameters
from MimecastManager import MimecastManager

SUCCESS = 'Successfully released message with ID "{message_id}" in Mimecast.'


def release(manager: MimecastManager, parameters: ReleaseMessageParameters) -> ActionResult:
    """Release the message; the two ways never stand in for each other."""
    if parameters.to_sandbox:
        manager.release_to_sandbox(parameters.message_id)
    else:
        manager.release_message(parameters.message_id)
    return ActionResult(SUCCESS.format(message_id=parameters.message_id))


def main() -> None:
    """Run the action."""
    run_action("Release Message", ReleaseMessageParameters, release)


if __name__ == "__main__":
    main()
