"""What the tests of the lower layers share; above all: no exception of theirs says a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses

from MimecastExceptions import MimecastError
from tests.managers.fakes import PROXY_VARIABLES, SECRETS, FakeTime, scripted


@pytest.fixture(autouse=True)
def no_exception_says_a_secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MimecastError]]:
    """Look at every exception of ours that a test here makes, whether it comes out or is dealt with on the way."""
    raised: list[MimecastError] = []
    original = MimecastError.__init__

    def remembering(self: MimecastError, *args: Any, **kwargs: Any) -> None:
        raised.append(self)
        original(self, *args, **kwargs)

    monkeypatch.setattr(MimecastError, "__init__", remembering)
    yield raised
    for error in raised:
        said = f"{error} {error!r} {error.args} {vars(error)}"
        assert [secret for secret in SECRETS if secret in said] == [], type(error)


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def mimecast() -> Iterator[responses.RequestsMock]:
    """Scripted answers, in their order; there must be as many requests as answers."""
    with scripted() as mock:
        yield mock
