"""The LOGGER of a script: debug, info, warn, error, exception; there is no ``warning``, as on the platform."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

from SiemplifyDataModel import LogRow
from SiemplifyUtils import unix_now

_ROW_LEVELS = {logging.DEBUG: 0, logging.INFO: 1, logging.WARNING: 2, logging.ERROR: 3}
_FORMAT = "[%(asctime)s %(levelname)s] %(message)s"


class SiemplifyLogger:
    """Writes each line three times: captured output, log row of the result, and stderr or the log file.

    Nothing is redacted, and logging never raises.

    Args:
        log_path: File for the log, besides stderr; None for stderr alone.
        module: Name of the connector; None in actions.
    """

    def __init__(self, log_path: str | None, module: str | None = None) -> None:
        self.module = module
        self._rows: list[LogRow] = []
        self._log = logging.getLogger("siemplify_default_logger")
        self._log.setLevel(logging.INFO)
        handlers: list[logging.Handler] = [logging.StreamHandler()]
        if log_path and Path(log_path).parent.is_dir():
            handlers.append(logging.FileHandler(log_path, encoding="utf-8"))
        for handler in handlers:
            handler.setFormatter(logging.Formatter(_FORMAT))
            self._log.addHandler(handler)

    @property
    def log_rows(self) -> list[LogRow]:
        """All lines so far, as rows of the connector's result."""
        return self._rows

    def debug(self, message: object, *_args: object, **_extra: object) -> None:
        """Drop a line: debug mode is off."""

    def info(self, message: object, *_args: object, **_extra: object) -> None:
        """Log a line at level 1."""
        self._write(logging.INFO, message)

    def warn(self, message: object, *_args: object, **_extra: object) -> None:
        """Log a line at level 2."""
        self._write(logging.WARNING, message)

    def error(self, message: object, *_args: object, **_extra: object) -> None:
        """Log a line at level 3."""
        self._write(logging.ERROR, message)

    def exception(self, message: object, *_args: object, **_extra: object) -> None:
        """Log an exception at level 3, with its traceback in the captured output."""
        self._write(logging.ERROR, message, exc_info=True)

    def _write(self, level: int, message: object, *, exc_info: bool = False) -> None:
        try:
            self._rows.append(LogRow(str(message), _ROW_LEVELS[level], unix_now()))
            print(message)  # noqa: T201 - stdout is the captured output here
            if exc_info and isinstance(message, Exception):
                traceback.print_exception(message, file=sys.stdout)
            # A quirk of the platform's: with a module name set, what is not text gets lost on its way to the log.
            if exc_info or not self.module or isinstance(message, str):
                self._log.log(level, "%s", message, exc_info=exc_info)
        except Exception:  # noqa: BLE001 - a script must not fail because of its log
            sys.stderr.write("LOGGER FAILED")
