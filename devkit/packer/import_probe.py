"""Imports scripts one by one and writes which of them can't be: run as a script by a clean environment's Python."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path


def main() -> None:
    """Read paths from the arguments after the first, which is the file for the answer: path to problem."""
    problems = {}
    for name in sys.argv[2:]:
        path = Path(name)
        try:
            spec = importlib.util.spec_from_file_location(f"imported_{path.stem}", path)
            if spec is None or spec.loader is None:
                raise ImportError("it is no module")
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module  # dataclasses look their module up
            spec.loader.exec_module(module)
        except BaseException as error:  # noqa: BLE001 - whatever happens at import is the finding, sys.exit too
            problems[name] = f"{type(error).__name__}: {error}"
    Path(sys.argv[1]).write_text(json.dumps(problems), encoding="utf-8")


if __name__ == "__main__":
    main()
