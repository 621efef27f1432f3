"""Action *Ping*: test the connection to Mimecast."""

from __future__ import annotations

from MimecastAction import ActionResult, run_action
from MimecastManager import MimecastManager
from MimecastParameters import NoParameters

SUCCESS = "Successfully connected to the Mimecast server with the provided connection parameters!"
FAILURE = "Failed to connect to the Mimecast server! Error is {reason}"


def ping(manager: MimecastManager, parameters: NoParameters) -> ActionResult:
    """Ask Mimecast for the account; a good answer proves address, credentials and role."""
    manager.check_connection()
    return ActionResult(SUCCESS)


def main() -> None:
    """Run the action."""
    run_action("Ping", NoParameters, ping, failure=FAILURE)


if __name__ == "__main__":
    main()
