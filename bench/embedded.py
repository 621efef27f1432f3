"""The embedded Mimecast in a process of its own: it must not share an interpreter with what is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import Any

import requests

from devkit.laptop import ROOT, embedded_configuration
from devkit.mimecast.tenant import Credentials

PATIENCE_S = 120
"""How long a control call may take: 5,000 mails have to be made."""


class EmbeddedMimecast:
    """A tenant with latency and quota; use it as a context manager.

    Args:
        latency_ms: How long each answer takes.
        rate: Requests a second that are allowed; None: any number.
    """

    def __init__(self, latency_ms: int, rate: float | None = None) -> None:
        command = [sys.executable, "-m", "devkit.mimecast", "--latency-ms", str(latency_ms)]
        if rate is not None:
            command += ["--rate", str(rate)]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        ready = json.loads(self._process.stdout.readline())
        self.url: str = ready["url"]
        self.credentials = Credentials(**ready["credentials"])
        self._session = requests.Session()
        self._session.trust_env = False  # loopback: never through a proxy

    def __enter__(self) -> EmbeddedMimecast:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
        self._process.communicate()  # the end of its input ends it

    def configuration(self, *, oauth: bool = False) -> dict[str, str]:
        """The integration's configuration for it."""
        return embedded_configuration(self.url, self.credentials, oauth=oauth)

    def control(self, name: str, **body: Any) -> Any:
        """Change something; see ``devkit.mimecast.control``."""
        response = self._session.post(f"{self.url}/_control/{name}", json=body, timeout=PATIENCE_S)
        response.raise_for_status()
        return response.json()

    def requests(self) -> int:
        """How many requests came so far."""
        return int(self._state()["requests"])

    def refused(self) -> int:
        """How many requests were refused for the quota so far."""
        return int(self._state()["rate_limited"])

    def rows(self) -> list[dict[str, Any]]:
        """All rows that are there."""
        return list(self._session.get(f"{self.url}/_control/rows", timeout=PATIENCE_S).json())

    def _state(self) -> dict[str, Any]:
        return dict(self._session.get(f"{self.url}/_control/state", timeout=PATIENCE_S).json())
