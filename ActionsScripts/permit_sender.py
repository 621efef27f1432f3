"""Action *Permit Sender*: permit a sender for one recipient."""

from __future__ import annotations

from MimecastAction import ActionResult, run_action
from MimecastActionParameters import ManagedSenderParameters
from MimecastManager import MimecastManager

SUCCESS = "Successfully permitted sender {sender} for recipient {recipient} in Mimecast."


def permit(manager: MimecastManager, parameters: ManagedSenderParameters) -> ActionResult:
    """Permit the sender."""
    manager.manage_sender(parameters.sender, parameters.recipient, "permit")
    return ActionResult(SUCCESS.format(sender=parameters.sender, recipient=parameters.recipient))


def main() -> None:
    """Run the action."""
    run_action("Permit Sender", ManagedSenderParameters, permit)


if __name__ == "__main__":
    main()
