"""Managed senders and blocked sender policies (facts 3.9, 3.12)."""

from __future__ import annotations

from datetime import UTC, datetime

from devkit.mimecast.envelope import (
    Answer,
    Call,
    FunctionError,
    Json,
    date_of,
    failure,
    flag_of,
    is_address,
    not_allowed,
    null,
    optional_text,
    text_of,
)
from devkit.mimecast.mail import opaque_id
from devkit.mimecast.rows import mimecast_time
from devkit.mimecast.tenant import ManagedSender, Tenant

MOST_MANAGED_SENDERS = 100
MANAGED_SENDER_ID_BYTES = 60
POLICY_ID_BYTES = 120

OPTIONS = frozenset({"block_sender", "no_action"})
FROM_PARTS = frozenset({"envelope_from", "header_from", "both"})
# The field that goes with each type of sender or recipient; None = the type stands alone.
TARGET_FIELDS: dict[str, str | None] = {
    "everyone": None,
    "internal_addresses": None,
    "external_addresses": None,
    "free_mail_domains": None,
    "email_domain": "emailDomain",
    "profile_group": "groupId",
    "individual_email_address": "emailAddress",
    "address_attribute_value": "attribute",
    "header_display_name": "headerDisplayName",
}
FLAGS = {"bidirectional": False, "enabled": True, "enforced": False, "override": False}
CONDITIONS = frozenset({"sourceIPs", "hostnames", "spfDomains"})
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, 23, 59, 59, tzinfo=UTC)


def permit_or_block_sender(tenant: Tenant, call: Call) -> Answer:
    """managedsender/permit-or-block-sender: single addresses, for one recipient each."""
    if not 1 <= len(call.items) <= MOST_MANAGED_SENDERS:
        raise FunctionError("err_validation_array_size", "1 to 100 data items are required", field="data")
    data: list[Json] = []
    fail: list[Json] = []
    for item in call.items:
        try:
            sender, to = _one_address(item, "sender"), _one_address(item, "to")
            action = text_of(item, "action")
            if action not in ("permit", "block"):
                raise not_allowed("action", action)
        except FunctionError as error:
            fail.append(failure(item, error))
            continue
        with tenant.lock:
            tenant.managed_senders.append(ManagedSender(sender, to, action))
        token = opaque_id(MANAGED_SENDER_ID_BYTES, "managed sender", sender, to)
        data.append({"id": f"MTOKEN:{token}", "sender": sender, "to": to, "type": action.capitalize()})
    return Answer(data, fail=fail)


def _one_address(item: Json, name: str) -> str:
    value = text_of(item, name)
    if not is_address(value):
        raise FunctionError("err_validation_invalid_email_address", f"Invalid email address: {value[:100]}", field=name)
    return value


def create_policy(tenant: Tenant, call: Call) -> Answer:
    """policy/blockedsenders/create-policy: not idempotent, the same policy twice makes two."""
    item = call.only_item()
    _refuse_nulls(item, "")
    option = text_of(item, "option")
    if option not in OPTIONS:
        raise not_allowed("option", option)
    asked = item.get("policy")
    if not isinstance(asked, dict):
        raise null("policy") if asked is None else not_allowed("policy", asked)
    now = mimecast_time(tenant.clock())
    policy = _policy(asked) | {"createTime": now, "lastUpdated": now}
    with tenant.lock:
        created = {
            "option": option,
            "id": opaque_id(POLICY_ID_BYTES, "policy", str(len(tenant.policies))),
            "policy": policy,
        }
        tenant.policies.append(created)
    return Answer([created])


def _refuse_nulls(value: object, path: str) -> None:
    if value is None:
        raise null(path)
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_nulls(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            _refuse_nulls(inner, path)


def _policy(asked: Json) -> Json:
    """The policy as it is stored, with its defaults.

    Raises:
        FunctionError: For the first field that isn't as documented.
    """
    within = "policy."
    part = asked.get("fromPart", "envelope_from")
    if part not in FROM_PARTS:
        raise not_allowed("policy.fromPart", part)
    stored: Json = {"description": text_of(asked, "description", within=within), "fromPart": part}
    for side in ("from", "to"):
        stored[side], kind, value = _target(asked, side)
        stored[f"{side}Type"] = kind
        if value is not None:
            stored[f"{side}Value"] = value
    starts, ends = date_of(asked, "fromDate", within=within), date_of(asked, "toDate", within=within)
    for side, moment in (("from", starts), ("to", ends)):
        if flag_of(asked, f"{side}Eternal", moment is None, within=within) == (moment is not None):
            raise FunctionError(
                "err_validation_value_not_allowed",
                f"Exactly one of {side}Date and {side}Eternal is required",
                field=f"policy.{side}Eternal",
            )
    if (starts or EARLIEST) >= (ends or LATEST):
        raise not_allowed("policy.toDate", asked.get("toDate"))
    stored |= {"fromEternal": starts is None, "toEternal": ends is None}
    stored |= {"fromDate": mimecast_time(starts or EARLIEST), "toDate": mimecast_time(ends or LATEST)}
    stored |= {name: flag_of(asked, name, default, within=within) for name, default in FLAGS.items()}
    stored["conditions"] = _conditions(asked.get("conditions", {}))
    comment = optional_text(asked, "comment")
    return stored if comment is None else stored | {"comment": comment}


def _target(asked: Json, side: str) -> tuple[Json, str, object]:
    """One side of a policy: the object as stored, its type, and its value."""
    target = asked.get(side)
    if not isinstance(target, dict):
        raise null(f"policy.{side}") if target is None else not_allowed(f"policy.{side}", target)
    within = f"policy.{side}."
    kind = text_of(target, "type", within=within)
    if kind not in TARGET_FIELDS:
        raise not_allowed(f"{within}type", kind)
    name = TARGET_FIELDS[kind]
    if extra := set(target) - {"type", name}:
        raise not_allowed(f"{within}{min(extra)}", target[min(extra)])
    if name is None:
        return {"type": kind}, kind, None
    value: object = target.get(name) if name == "attribute" else text_of(target, name, within=within)
    bad = (
        (name == "attribute" and not (isinstance(value, dict) and {"id", "value"} <= set(value)))
        or (name == "emailAddress" and not is_address(value))
        or (name == "emailDomain" and not is_address(f"user@{value}"))
    )
    if bad:
        raise FunctionError(f"err_policy_invalid_{side}_value", f"Invalid {side}Value", field="policy")
    return {"type": kind, name: value}, kind, value


def _conditions(conditions: object) -> Json:
    if not isinstance(conditions, dict) or not all(isinstance(values, list) for values in conditions.values()):
        raise not_allowed("policy.conditions", conditions)
    if extra := set(conditions) - CONDITIONS:
        raise not_allowed(f"policy.conditions.{min(extra)}", conditions[min(extra)])
    return conditions
