"""Run the workbench: ``python -m devkit``; people use ``python3 dev.py``."""

from __future__ import annotations

from devkit.cli import app

if __name__ == "__main__":
    app(prog_name="dev.py")
