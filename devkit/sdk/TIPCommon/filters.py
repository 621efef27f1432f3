"""Filters of connectors."""

from __future__ import annotations

from typing import Any


def pass_whitelist_filter(
    siemplify: Any,
    whitelist_as_a_blacklist: bool,
    model: Any,
    model_key: str,
    whitelist: list[str] | None = None,
) -> bool:
    """Tell whether an alert passes the connector's dynamic list.

    An empty list lets everything pass. Of an attribute that is a list every value must be listed (or none, as a
    blocklist). Values are compared exactly.
    """
    listed = whitelist or siemplify.whitelist
    value = getattr(model, model_key)
    if not listed:
        return True
    kind = "blocklist" if whitelist_as_a_blacklist else "allowlist"
    for one in value if isinstance(value, list) else [value]:
        if (one in listed) == whitelist_as_a_blacklist:
            siemplify.LOGGER.info(f"'{one}' did not pass {kind} filter.")
            return False
    return True
