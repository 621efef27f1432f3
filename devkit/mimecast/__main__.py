"""The embedded Mimecast as a process of its own: ``python -m devkit.mimecast``.

It prints one line of JSON (``url`` and ``credentials``) when it is ready. It ends when its standard input is closed, by
whoever started it or by that one's end, and on SIGTERM.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
import threading
from datetime import timedelta
from types import FrameType

from devkit.mimecast.app import create_app
from devkit.mimecast.control import add_control
from devkit.mimecast.faults import RateLimit
from devkit.mimecast.mailstream import MailStream
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import Tenant

MS_PER_S = 1000
READ_BYTES = 4096


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is told to stop.

    Args:
        arguments: Command line without the program's name; None = the real one.

    Returns:
        Exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m devkit.mimecast", description="The embedded Mimecast.")
    parser.add_argument("--seed", type=int, default=1, help="what the mail depends on (default: 1)")
    parser.add_argument("--mails", type=int, default=0, help="how many mails there are at the start (default: none)")
    parser.add_argument("--minutes", type=float, default=60, help="over how many past minutes (default: 60)")
    parser.add_argument("--domains", default="corp.example", help="the tenant's domains, comma-separated")
    parser.add_argument("--latency-ms", type=float, default=0, help="how long each answer takes (default: 0)")
    parser.add_argument("--rate", type=float, help="requests a second that are allowed (default: no limit)")
    options = parser.parse_args(arguments)

    tenant = Tenant(latency_s=options.latency_ms / MS_PER_S)
    try:
        tenant.rate_limit = RateLimit(options.rate) if options.rate is not None else None
    except ValueError as error:
        parser.error(f"--rate: {error}")
    domains = [domain.strip() for domain in options.domains.split(",") if domain.strip()]
    now = tenant.clock()
    stream = MailStream(options.seed, domains)
    tenant.add(*stream.mails(options.mails, now - timedelta(minutes=options.minutes), now))
    app = create_app(tenant)
    add_control(app, tenant)

    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=_wait_for_end_of_input, args=(stopped,), daemon=True).start()
    with MimecastServer(tenant, app) as server:
        ready = {"url": server.url, "credentials": dataclasses.asdict(tenant.credentials)}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        stopped.wait()
    return 0


def _wait_for_end_of_input(stopped: threading.Event) -> None:
    # Not sys.stdin.read(): its lock, held by this thread, would abort the interpreter's shutdown.
    while os.read(sys.stdin.fileno(), READ_BYTES):
        pass
    stopped.set()


if __name__ == "__main__":
    sys.exit(main())
