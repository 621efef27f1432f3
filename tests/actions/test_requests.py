"""How many requests each action costs."""

from __future__ import annotations

import pytest

from .support import (
    ACCOUNT,
    ARCHIVE,
    COMPLETED,
    HOLD_LIST,
    INFO,
    MANAGED,
    POLICY,
    REJECT,
    RELEASE,
    REPORT,
    SANDBOX,
    TOKEN,
    TRACKING,
    Desk,
    archived_mail,
    held_mail,
)

QUERY = '<xmlquery><metadata query-type="emailarchive"/><muse/></xmlquery>'
SENDER = {"Sender": "eve@sender.example", "Recipient": "ann@corp.example"}
SIMPLE: list[tuple[str, dict[str, str], str]] = [
    ("ping", {}, ACCOUNT),
    ("simple_archive_search", {}, ARCHIVE),
    ("advanced_archive_search", {"XML Query": QUERY}, ARCHIVE),
    ("release_message", {"Message ID": "HELD"}, RELEASE),
    ("reject_message", {"Message ID": "HELD"}, REJECT),
    ("block_sender", SENDER, MANAGED),
    ("permit_sender", SENDER, MANAGED),
    ("create_block_sender_policy", {"Description": "d", "Sender": "a.example", "Recipient": "b.example"}, POLICY),
]
API_1_ONLY: list[tuple[str, dict[str, str], str]] = [
    ("release_message", {"Message ID": "TRACKING", "Release To Sandbox": "true"}, SANDBOX),
    ("report_message", {"Message ID": "TRACKING"}, REPORT),
]


def calls(stem: str, parameters: dict[str, str], *, oauth: bool) -> list[str]:
    desk = Desk(held_mail(), oauth=oauth)
    ids = {"HELD": desk.rows[0].held_id, "TRACKING": desk.rows[0].tracking_id}
    run = desk.run(stem, {name: ids.get(value, value) for name, value in parameters.items()})
    assert run.execution_state == COMPLETED, run.message
    return desk.calls


@pytest.mark.parametrize(("stem", "parameters", "path"), SIMPLE + API_1_ONLY)
def test_with_api_1_an_action_is_one_request(stem: str, parameters: dict[str, str], path: str) -> None:
    assert calls(stem, parameters, oauth=False) == [path]


@pytest.mark.parametrize(("stem", "parameters", "path"), SIMPLE)
def test_with_api_2_an_action_is_a_token_and_one_request(stem: str, parameters: dict[str, str], path: str) -> None:
    assert calls(stem, parameters, oauth=True) == [TOKEN, path]


@pytest.mark.parametrize("oauth", [False, True])
@pytest.mark.parametrize(("limit", "pages"), [(100, 1), (101, 2), (250, 3), (10**9, 3)])
def test_an_archive_search_is_one_more_request_for_each_further_100(limit: int, pages: int, oauth: bool) -> None:
    desk = Desk(*(archived_mail(number) for number in range(250)), oauth=oauth)
    run = desk.run("simple_archive_search", {"Max Emails To Return": str(limit)})
    assert len(run.json_result) == min(limit, 250)
    assert desk.calls == [TOKEN] * oauth + [ARCHIVE] * pages


@pytest.mark.parametrize("oauth", [False, True])
@pytest.mark.parametrize(("stem", "path"), [("release_message", RELEASE), ("reject_message", REJECT)])
def test_a_tracking_id_costs_four_requests_more(stem: str, path: str, oauth: bool) -> None:
    assert calls(stem, {"Message ID": "TRACKING"}, oauth=oauth) == [
        *[TOKEN] * oauth,
        path,  # refused: it is no held ID
        INFO,
        TRACKING,
        HOLD_LIST,
        path,
    ]
