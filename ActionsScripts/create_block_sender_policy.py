"""Action *Create Block Sender Policy*: create a policy that blocks mail, or exempts it from blocking."""

from __future__ import annotations

from MimecastAction import ActionResult, run_action
from MimecastActionParameters import BlockSenderPolicyParameters
from MimecastManager import MimecastManager
from MimecastSenders import BlockSenderPolicy, PolicyTarget

SUCCESS = "Successfully created a block sender policy in Mimecast."


def create(manager: MimecastManager, parameters: BlockSenderPolicyParameters) -> ActionResult:
    """Create the policy and report it as Mimecast has stored it."""
    created = manager.create_block_sender_policy(
        BlockSenderPolicy(
            response=parameters.response,
            description=parameters.description,
            from_part=parameters.extracted_data,
            sender=PolicyTarget(parameters.sender_type, parameters.sender_value),
            recipient=PolicyTarget(parameters.recipient_type, parameters.recipient_value),
            bidirectional=parameters.bidirectional,
            enforced=parameters.enforced,
            comment=parameters.comment,
            start=parameters.start_time,
            end=parameters.end_time,
        )
    )
    return ActionResult(SUCCESS, json=created)


def main() -> None:
    """Run the action."""
    run_action("Create Block Sender Policy", BlockSenderPolicyParameters, create)


if __name__ == "__main__":
    main()
