"""Puts the SDK that the scripts run under on the path of the tests too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devkit.platform import sdk_in_use

for _path in sdk_in_use.paths():
    if str(_path) not in sys.path:
        sys.path.append(str(_path))


def pytest_report_header() -> str:
    return f"SOAR SDK: {sdk_in_use.describe()}"


@pytest.fixture
def package_root() -> Path:
    return Path(__file__).resolve().parent.parent
