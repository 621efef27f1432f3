"""The package's format as models: keys, types, enumerations and limits (package format, 3). No key else."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_pascal

MAX_NAME = 150
MAX_DESCRIPTION = 2050
MAX_PARAMETERS = 50
MAX_PARAMETER_WORDS = 13
MAX_RESULT_NAME = 100
MINIMUM_VERSION = 1.0
PYTHON_3_11 = 3
"""The platform's number for Python 3.11; 2 was 3.7."""

LIST_TYPES = frozenset({14, 15, 21})
"""Action parameters that have a list of values: multi values, one of a list, multi choice."""
_ACTION_TYPES = frozenset({*range(8), *range(10, 18), 21, -1})
_OTHER_TYPES = frozenset(range(14))
_MODES = frozenset({0, 2})
_TRANSFORMATIONS = frozenset({*range(6), 7, 15, *range(100, 104), *range(105, 111)})
_ITEM_TYPES = frozenset({"Integration", "Action", "Widget", "Connector", "Job"})
_SECONDS_LIMIT = 10**11
"""What is larger is no number of seconds but of milliseconds."""


def _among(values: frozenset[int] | frozenset[str], what: str) -> AfterValidator:
    def check(value: int | str) -> int | str:
        if value not in values:
            raise ValueError(f"{value!r} is no {what}; there are {', '.join(map(str, sorted(values)))}")
        return value

    return AfterValidator(check)


def _words(text: str) -> str:
    if len(text.split()) > MAX_PARAMETER_WORDS:
        raise ValueError(f"a parameter's name has at most {MAX_PARAMETER_WORDS} words")
    return text


def _seconds(value: int) -> int:
    if value >= _SECONDS_LIMIT:
        raise ValueError("it looks like milliseconds; it has to be in seconds")
    return value


def _once_each(key: str) -> AfterValidator:
    def check(items: list[BaseModel]) -> list[BaseModel]:
        twice = [name for name, times in Counter(getattr(item, key) for item in items).items() if times > 1]
        if twice:
            raise ValueError(f"there twice: {', '.join(map(repr, twice))}")
        return items

    return AfterValidator(check)


Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=MAX_NAME)]
DisplayName = Annotated[str, Field(pattern=r"^[A-Za-z0-9 -]+$", max_length=MAX_NAME)]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9 '-]+$", max_length=MAX_NAME), AfterValidator(_words)]
Description = Annotated[str, Field(min_length=1, max_length=MAX_DESCRIPTION)]
Version = Annotated[float, Field(ge=MINIMUM_VERSION)]
Link = Annotated[str, Field(pattern=r"^https?://\S+$")]
Default = str | bool | int | float | None
OtherType = Annotated[int, _among(_OTHER_TYPES, "type of an integration or connector parameter")]


class Format(BaseModel):
    """Base: the platform's spelling of keys, no key too many, no type converted."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_pascal)


class IntegrationParameter(Format):
    """A parameter of the integration."""

    property_name: ParameterName
    property_display_name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    property_description: Description
    property_type: OtherType
    is_mandatory: bool
    value: Default
    integration_identifier: Identifier


class Integration(Format):
    """``Integration-<Identifier>.def``."""

    identifier: Identifier
    display_name: DisplayName
    marketing_display_name: DisplayName
    description: Description
    version: Version
    python_version: Annotated[int, _among(frozenset({PYTHON_3_11}), "version of Python that the platform takes")]
    minimum_system_version: float
    documentation_link: Link
    image_base64: Annotated[str, Field(min_length=1)]
    svg_image: Annotated[str, Field(min_length=1, alias="SVGImage")]
    categories: Annotated[list[str], Field(min_length=1)]
    integration_properties: Annotated[
        list[IntegrationParameter], Field(max_length=MAX_PARAMETERS), _once_each("property_name")
    ]
    should_installed_in_system: bool
    is_available_for_community: bool
    is_custom: bool
    is_power_up: bool
    is_certified: bool
    google_sec_ops_product: bool


class ActionParameter(Format):
    """A parameter of an action. Its types are numbered in another way than those of integration and connector."""

    name: ParameterName
    description: Description
    is_mandatory: bool
    type: Annotated[int, _among(_ACTION_TYPES, "type of an action parameter")]
    default_value: Default
    value: Default
    optional_values: list[str] | None

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        if self.default_value != self.value:
            raise ValueError(f"Value and DefaultValue differ: {self.value!r} and {self.default_value!r}")
        if self.type not in LIST_TYPES:
            if self.optional_values is not None:
                raise ValueError(f"OptionalValues has to be null for type {self.type}")
        elif not self.optional_values:
            raise ValueError(f"type {self.type} needs OptionalValues")
        elif self.value not in self.optional_values:
            raise ValueError(f"the default {self.value!r} is not among OptionalValues {self.optional_values}")
        return self


class DynamicResult(Format):
    """What an action's JSON result looks like; the example is JSON in a text."""

    result_name: Annotated[str, Field(min_length=1)]
    show_result: bool
    result_example: str | None


class Action(Format):
    """``*.actiondef``."""

    name: DisplayName
    description: Description
    documentation_link: Link | None = None
    integration_identifier: Identifier
    creator: str
    parameters: Annotated[list[ActionParameter], Field(max_length=MAX_PARAMETERS), _once_each("name")]
    dynamic_results_metadata: list[DynamicResult]
    script_result_name: Annotated[str, Field(min_length=1, max_length=MAX_RESULT_NAME)]
    default_result_value: str | None = None
    simulation_data_json: str
    is_async: bool
    is_enabled: bool
    is_custom: bool
    version: Version
    ai_description: str | None = None
    ai_short_description: str | None = None
    parameters_description: str | None = None
    ai_categories: list[str] | None = None
    outcome_categories: list[str] | None = None


class ConnectorParameter(Format):
    """A parameter of a connector."""

    name: ParameterName
    description: Description
    is_mandatory: bool
    is_advanced: bool
    type: OtherType
    default_value: Default
    mode: Annotated[int, _among(_MODES, "mode of a connector parameter (0 regular, 2 script)")]


class ConnectorRule(Format):
    """A rule of the dynamic list that comes with the connector."""

    rule_name: str
    rule_type: Annotated[int, _among(frozenset({0, 1}), "type of rule (0 allow, 1 block)")]


class Connector(Format):
    """``*.connectordef``."""

    name: DisplayName
    integration: Identifier
    creator: str
    description: Description
    documentation_link: Link
    is_connector_rules_supported: bool
    rules: list[ConnectorRule]
    is_custom: bool
    is_enabled: bool
    parameters: Annotated[list[ConnectorParameter], Field(max_length=MAX_PARAMETERS), _once_each("name")]
    version: Version


Comparison = Annotated[int, _among(frozenset(range(4)), "comparison")]


class MappingRule(Format):
    """One rule of ``integration_mapping_rules.json``; unused texts are empty, not null."""

    source: Identifier
    product: str | None
    event_name: str | None
    security_event_field_name: Annotated[str, Field(min_length=1)]
    transformation_function: Annotated[int, _among(_TRANSFORMATIONS, "transformation")]
    transformation_function_param: str
    raw_data_primary_field_match_term: Annotated[str, Field(min_length=1)]
    raw_data_primary_field_comparison_type: Comparison
    raw_data_secondary_field_match_term: str
    raw_data_secondary_field_comparison_type: Comparison
    raw_data_third_field_match_term: str
    raw_data_third_field_comparison_type: Comparison
    is_artifact: bool
    extraction_function: Annotated[int, _among(frozenset(range(3)), "extraction (0 none, 1 regex, 2 delimiter)")]
    extraction_function_param: str


class ReleaseNote(Format):
    """One entry of ``RN.json``; its time is seconds since 1970 at 00:00 UTC."""

    change_description: Description
    deprecated: bool
    new: bool
    regressive: bool
    removed: bool
    introduced_in_integration_version: Version
    item_name: Annotated[str, Field(min_length=1)]
    item_type: Annotated[str, _among(_ITEM_TYPES, "type of item")]
    ticket_number: str | None
    publish_time: Annotated[int, AfterValidator(_seconds)]
