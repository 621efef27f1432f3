"""Connector *Mimecast - Message Tracking Connector*: tracked messages become alerts."""

from __future__ import annotations

from MimecastConnector import MessageTrackingConnector
from MimecastConstants import CONNECTOR_NAME
from SiemplifyConnectors import SiemplifyConnectorExecution


def main() -> None:
    """Run one cycle."""
    siemplify = SiemplifyConnectorExecution()
    siemplify.script_name = CONNECTOR_NAME
    MessageTrackingConnector(siemplify).run()


if __name__ == "__main__":
    main()
