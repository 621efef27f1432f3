"""Action *Block Sender*: block a sender for one recipient."""

from __future__ import annotations

from MimecastAction import ActionResult, run_action
from MimecastActionParameters import ManagedSenderParameters
from MimecastManager import MimecastManager

SUCCESS = "Successfully blocked sender {sender} for recipient {recipient} in Mimecast."


def block(manager: MimecastManager, parameters: ManagedSenderParameters) -> ActionResult:
    """Block the sender."""
    manager.manage_sender(parameters.sender, parameters.recipient, "block")
    return ActionResult(SUCCESS.format(sender=parameters.sender, recipient=parameters.recipient))


def main() -> None:
    """Run the action."""
    run_action("Block Sender", ManagedSenderParameters, block)


if __name__ == "__main__":
    main()
