from __future__ import annotations

import copy

import pytest
from mimecast_client import MANAGED, NOW, POLICY, Client, a_tenant, when

from devkit.mimecast.tenant import ManagedSender, Tenant

PAIR = {"sender": "eve@sender.example", "to": "ann@corp.example", "action": "block"}
ADDRESS = {"type": "individual_email_address", "emailAddress": "eve@sender.example"}
DOMAIN = {"type": "email_domain", "emailDomain": "corp.example"}


@pytest.fixture
def tenant() -> Tenant:
    return a_tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client(tenant)


# -- managed senders


@pytest.mark.parametrize(("action", "shown"), [("block", "Block"), ("permit", "Permit")])
def test_a_sender_is_permitted_or_blocked_for_one_recipient(
    tenant: Tenant, client: Client, action: str, shown: str
) -> None:
    (row,) = client.data(MANAGED, PAIR | {"action": action})
    assert row.pop("id").startswith("MTOKEN:eN")
    assert row == {"sender": "eve@sender.example", "to": "ann@corp.example", "type": shown}
    assert tenant.managed_senders == [ManagedSender("eve@sender.example", "ann@corp.example", action)]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"sender": ""}, "err_validation_blank", "sender"),
        ({"sender": None}, "err_validation_null", "sender"),
        ({"sender": "sender.example"}, "err_validation_invalid_email_address", "sender"),
        ({"sender": "Eve <eve@sender.example>"}, "err_validation_invalid_email_address", "sender"),
        ({"sender": " eve@sender.example"}, "err_validation_invalid_email_address", "sender"),
        ({"to": "corp.example"}, "err_validation_invalid_email_address", "to"),
        ({"to": "a@corp.example,b@corp.example"}, "err_validation_invalid_email_address", "to"),
        ({"action": "Block"}, "err_validation_value_not_allowed", "action"),
        ({"action": None}, "err_validation_null", "action"),
    ],
)
def test_managed_senders_refuse(tenant: Tenant, client: Client, change: dict, code: str, field: str) -> None:
    error = client.error(MANAGED, PAIR | change)
    assert (error["code"], error["field"]) == (code, field)
    assert tenant.managed_senders == []


def test_managed_senders_take_1_to_100_items(client: Client) -> None:
    assert len(client.data(MANAGED, *[PAIR] * 100)) == 100
    assert client.error(MANAGED)["field"] == "data"
    assert client.error(MANAGED, *[PAIR] * 101)["field"] == "data"


# -- policies


def asked(**policy: object) -> dict:
    """A good request with these changes to its policy; a change to None leaves the field out."""
    fields = {"description": "Stop Eve", "from": ADDRESS, "to": DOMAIN} | policy
    return {"option": "block_sender", "policy": {name: value for name, value in fields.items() if value is not None}}


def test_a_policy_is_created_in_the_shape_of_the_reference(tenant: Tenant, client: Client) -> None:
    (created,) = client.data(POLICY, asked(fromPart="both", enforced=True, comment="why"))
    assert created == {
        "option": "block_sender",
        "id": created["id"],
        "policy": {
            "description": "Stop Eve",
            "fromPart": "both",
            "from": ADDRESS,
            "to": DOMAIN,
            "fromType": "individual_email_address",
            "fromValue": "eve@sender.example",
            "toType": "email_domain",
            "toValue": "corp.example",
            "fromEternal": True,
            "toEternal": True,
            "fromDate": "1900-01-01T00:00:00+0000",
            "toDate": "2100-01-01T23:59:59+0000",
            "override": False,
            "bidirectional": False,
            "conditions": {},
            "enabled": True,
            "enforced": True,
            "comment": "why",
            "createTime": when(NOW),
            "lastUpdated": when(NOW),
        },
    }
    assert tenant.policies == [created]


def test_the_same_policy_twice_makes_two(tenant: Tenant, client: Client) -> None:
    first, second = client.data(POLICY, asked()), client.data(POLICY, asked())
    assert first[0]["id"] != second[0]["id"]
    assert len(tenant.policies) == 2


def test_a_policy_may_have_a_frame(client: Client) -> None:
    frame = {
        "fromDate": "2026-03-10T10:00:00+0100",
        "toDate": "2026-04-01T00:00:00Z",
        "fromEternal": False,
        "toEternal": False,
    }
    policy = client.data(POLICY, asked(**frame))[0]["policy"]
    assert (policy["fromDate"], policy["toDate"]) == ("2026-03-10T09:00:00+0000", "2026-04-01T00:00:00+0000")
    assert (policy["fromEternal"], policy["toEternal"]) == (False, False)


@pytest.mark.parametrize(
    "target",
    [
        {"type": "everyone"},
        {"type": "internal_addresses"},
        {"type": "external_addresses"},
        {"type": "free_mail_domains"},
        {"type": "header_display_name", "headerDisplayName": "The Boss"},
        {"type": "profile_group", "groupId": "eNgroup"},
        {"type": "address_attribute_value", "attribute": {"id": "1", "name": "team", "value": "red"}},
    ],
)
def test_each_type_of_target(client: Client, target: dict) -> None:
    for side in ("from", "to"):
        policy = client.data(POLICY, asked(**{side: target}))[0]["policy"]
        assert (policy[side], policy[f"{side}Type"]) == (target, target["type"])


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"description": None}, "policy.description"),
        ({"description": " "}, "policy.description"),
        ({"from": None}, "policy.from"),
        ({"to": None}, "policy.to"),
        ({"to": "corp.example"}, "policy.to"),
        ({"from": {}}, "policy.from.type"),
        ({"from": {"type": "Everyone"}}, "policy.from.type"),
        ({"from": {"type": "email_domain"}}, "policy.from.emailDomain"),
        ({"from": {"type": "email_domain", "emailAddress": "a@b.example"}}, "policy.from.emailAddress"),
        ({"from": {"type": "everyone", "emailDomain": "b.example"}}, "policy.from.emailDomain"),
        ({"from": {"type": "email_domain", "emailDomain": "a@b.example"}}, "policy"),
        ({"to": {"type": "individual_email_address", "emailAddress": "b.example"}}, "policy"),
        ({"to": {"type": "address_attribute_value", "attribute": "x"}}, "policy"),
        ({"to": {"type": "address_attribute_value", "attribute": {"id": "1"}}}, "policy"),
        ({"to": {"type": "header_display_name", "headerDisplayName": ""}}, "policy.to.headerDisplayName"),
        ({"fromPart": "header"}, "policy.fromPart"),
        ({"bidirectional": "true"}, "policy.bidirectional"),
        ({"enforced": 1}, "policy.enforced"),
        ({"fromDate": "2026-03-10T10:00:00"}, "policy.fromDate"),
        ({"fromDate": "2026-03-10"}, "policy.fromDate"),
        ({"fromEternal": False}, "policy.fromEternal"),
        ({"toEternal": True, "toDate": "2026-03-10T10:00:00Z"}, "policy.toEternal"),
        ({"fromDate": "2026-03-10T10:00:00Z", "toDate": "2026-03-10T10:00:00Z"}, "policy.toDate"),
        ({"comment": 5}, "comment"),
        ({"conditions": []}, "policy.conditions"),
        ({"conditions": {"sourceIPs": "192.0.2.0/24"}}, "policy.conditions"),
        ({"conditions": {"ip": []}}, "policy.conditions.ip"),
    ],
)
def test_a_policy_is_refused(tenant: Tenant, client: Client, policy: dict, field: str) -> None:
    assert client.error(POLICY, asked(**policy))["field"] == field
    assert tenant.policies == []


def test_a_wrong_value_has_the_recorded_error(client: Client) -> None:
    wrong = asked(**{"from": {"type": "email_domain", "emailDomain": "not a domain"}})
    error = client.error(POLICY, wrong)
    assert (error["field"], error["code"], error["message"]) == (
        "policy",
        "err_policy_invalid_from_value",
        "Invalid fromValue",
    )


@pytest.mark.parametrize("path", [("comment",), ("conditions",), ("from", "emailAddress"), ("fromDate",)])
def test_null_is_refused_wherever_it_stands(client: Client, path: tuple[str, ...]) -> None:
    item = copy.deepcopy(asked())
    place = item["policy"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = None
    error = client.error(POLICY, item)
    assert (error["code"], error["field"]) == ("err_validation_null", ".".join(("policy", *path)))


@pytest.mark.parametrize(("change", "field"), [({"option": "block"}, "option"), ({"option": None}, "option")])
def test_the_option_is_one_of_two(client: Client, change: dict, field: str) -> None:
    assert client.error(POLICY, asked() | change)["field"] == field
    assert client.data(POLICY, asked() | {"option": "no_action"})[0]["option"] == "no_action"


def test_a_policy_is_one_item_with_a_policy_in_it(client: Client) -> None:
    assert client.error(POLICY)["field"] == "data"
    assert client.error(POLICY, asked(), asked())["field"] == "data"
    assert client.error(POLICY, {"option": "block_sender"})["field"] == "policy"
    assert client.error(POLICY, {"option": "block_sender", "policy": []})["field"] == "policy"
