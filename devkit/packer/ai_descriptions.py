"""Reads ``resources/ai/*.yaml`` and puts what they say of an action into its definition, as Google's builder does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from devkit.packer.package import ACTION, ACTIONS_AI, Package

OUTCOMES = {
    "enrich_ioc": "Enrich IOC (Indicator of Compromise)",
    "enrich_asset": "Enrich Asset",
    "update_alert": "Update Alert",
    "add_alert_comment": "Add Alert Comment",
    "create_ticket": "Create Ticket",
    "update_ticket": "Update Ticket",
    "add_ioc_to_blocklist": "Add IOC to Blocklist",
    "remove_ioc_from_blocklist": "Remove IOC from Blocklist",
    "add_ioc_to_allowlist": "Add IOC to Allowlist",
    "remove_ioc_from_allowlist": "Remove IOC from Allowlist",
    "disable_identity": "Disable Identity (User, Account)",
    "enable_identity": "Enable Identity (User, Account)",
    "contain_host": "Contain Host",
    "uncontain_host": "Uncontain Host",
    "reset_identity_password": "Reset Identity Password (User, Account)",
    "update_identity": "Update Identity (User, Account)",
    "search_events": "Search Events",
    "execute_command_on_the_host": "Execute Command on the Host",
    "download_file": "Download File",
    "send_email": "Send Email",
    "search_email": "Search Email",
    "delete_email": "Delete Email",
    "update_email": "Update Email",
    "submit_file": "Submit File",
    "send_message": "Send Message",
    "search_asset": "Search Asset",
    "get_alert_information": "Get Alert Information",
}
"""What an action achieves: the YAML's flag and the definition's word for it, in the order of the definition's list."""

_ENRICHES = frozenset(
    {"enrich_ioc", "enrich_asset", "search_events", "search_email", "search_asset", "get_alert_information"}
)
_REMEDIES = frozenset(
    {
        "create_ticket",
        "update_ticket",
        "add_ioc_to_blocklist",
        "remove_ioc_from_blocklist",
        "add_ioc_to_allowlist",
        "remove_ioc_from_allowlist",
        "disable_identity",
        "enable_identity",
        "contain_host",
        "uncontain_host",
        "reset_identity_password",
        "update_identity",
        "execute_command_on_the_host",
        "send_email",
        "delete_email",
        "update_email",
        "submit_file",
    }
)
_FILTERS = frozenset(
    f"filters_by_{what}"
    for what in (
        "identifier",
        "creation_time",
        "modification_time",
        "additional_properties",
        "case_identifier",
        "alert_identifier",
        "entity_type",
        "is_internal",
        "is_suspicious",
        "is_artifact",
        "is_vulnerable",
        "is_enriched",
        "is_pivot",
    )
)
_PRODUCTS = frozenset(
    {
        "siem",
        "edr",
        "network_security",
        "threat_intelligence",
        "email_security",
        "iam_and_identity_management",
        "cloud_security",
        "itsm",
        "vulnerability_management",
        "asset_inventory",
        "collaboration",
    }
)


def _flags(names: frozenset[str], also: frozenset[str] = frozenset()) -> AfterValidator:
    """Make a validator: exactly these flags, each true or false, with an optional reasoning beside them."""

    def check(value: dict[str, Any]) -> dict[str, Any]:
        given = value.keys() - {"reasoning"} - also
        if given != names:
            raise ValueError(f"missing: {sorted(names - given)}, unknown: {sorted(given - names)}")
        wrong = sorted(name for name in names if not isinstance(value[name], bool))
        if wrong:
            raise ValueError(f"neither true nor false: {wrong}")
        return value

    return AfterValidator(check)


def _no_entities(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("entity_types"):
        raise ValueError("entity_types should be empty: no action of this package runs on entities")
    return value


Words = Annotated[str, Field(min_length=1)]


class _Ai(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ActionCapabilities(_Ai):
    """How an action works."""

    reasoning: str = ""
    fetches_data: bool
    can_mutate_external_data: bool
    external_data_mutation_explanation: str | None
    can_mutate_internal_data: bool
    internal_data_mutation_explanation: str | None
    can_update_entities: bool
    can_create_insight: bool
    can_modify_alert_data: bool
    can_create_case_comments: bool


class ActionAi(_Ai):
    """What the YAML says of an action (package format, 3.10)."""

    ai_description: Words
    ai_short_description: Words
    parameters_description: Words
    entity_usage: Annotated[dict[str, Any], _flags(_FILTERS, frozenset({"entity_types"})), AfterValidator(_no_entities)]
    outcome_categories: Annotated[dict[str, Any], _flags(frozenset(OUTCOMES))]
    capabilities: ActionCapabilities


class ConnectorAi(_Ai):
    """What the YAML says of a connector."""

    ai_description: Words


class IntegrationAi(_Ai):
    """What the YAML says of the integration."""

    product_categories: Annotated[dict[str, Any], _flags(_PRODUCTS)]


def read_yaml(content: bytes) -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Raises:
        ValueError: It does not.
    """
    try:
        document = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML: {error}") from None
    if not isinstance(document, dict):
        raise ValueError("it should hold a mapping")
    return document


def add_ai_fields(package: Package) -> None:
    """Add to each action's definition what the YAML says of it; an entry that is not in order adds nothing.

    The verifier reports such entries.
    """
    try:
        entries = read_yaml(package.files.get(ACTIONS_AI, b"{}"))
    except ValueError:
        return
    for action in package.definitions(ACTION).values():
        try:
            action |= _fields(ActionAi.model_validate(entries.get(str(action.get("Name")))))
        except ValidationError:
            continue


def _fields(entry: ActionAi) -> Mapping[str, Any]:
    outcomes = [name for name in OUTCOMES if entry.outcome_categories[name]]
    categories = [word for word, of in (("Remediation", _REMEDIES), ("Enrichment", _ENRICHES)) if of & set(outcomes)]
    fields = {
        "AiDescription": f"{entry.ai_description}\n {entry.parameters_description}",
        "AiShortDescription": entry.ai_short_description,
        "ParametersDescription": entry.parameters_description,
        "AiCategories": categories,
        "OutcomeCategories": [OUTCOMES[name] for name in outcomes],
    }
    return {name: value for name, value in fields.items() if value}
