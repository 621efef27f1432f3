"""Which keys the connector's events have: what the mapping rules may refer to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from devkit.packer.archive import unpack
from devkit.packer.package import CONNECTOR, MANAGERS, Package, PackError, objects
from devkit.platform import sdk_in_use

EventTerms = Mapping[str, frozenset[str]]
"""Event type to the keys of such events."""

_PROBE = Path(__file__).with_name("event_probe.py")
_TIMEOUT_S = 120.0
_DEFAULTS = {"DeviceProductField": "Product Name", "EventClassId": "event_type"}


def event_terms(package: Package) -> EventTerms:
    """Run the package's own managers on an example message, in a process of its own, and look at the events.

    Args:
        package: The package.

    Returns:
        For each event type its keys.

    Raises:
        PackError: The managers can't do it.
    """
    fields = _DEFAULTS | _default_fields(package)
    with tempfile.TemporaryDirectory(prefix="mimecast-events-") as folder:
        unpack({path: package.files[path] for path in package.under(MANAGERS)}, Path(folder))
        path = os.pathsep.join(map(str, [Path(folder) / MANAGERS, *sdk_in_use.paths()]))
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-B", str(_PROBE), fields["DeviceProductField"], fields["EventClassId"]],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    if done.returncode:
        raise PackError(f"the connector's events can't be built: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return {event: frozenset(keys) for event, keys in json.loads(done.stdout).items()}


def _default_fields(package: Package) -> dict[str, str]:
    """Return which event fields the connector's definition names for the product and for the event's type."""
    return {
        parameter["Name"]: str(parameter.get("DefaultValue"))
        for connector in package.definitions(CONNECTOR).values()
        for parameter in objects(connector.get("Parameters"))
        if parameter.get("Name") in _DEFAULTS
    }
