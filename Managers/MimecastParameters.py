"""Parameters of the configuration, the connector and the actions: read from the platform's strings and checked.

Aliases are the display names, so that an error names the parameter as the user sees it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic import ValidationError as PydanticError

from MimecastConstants import RISKS, ROUTES, STATUSES
from MimecastExceptions import ConfigurationError, MimecastError, ValidationError

# Pydantic would look through all installed packages for plugins that watch what is validated: secrets, here.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

M = TypeVar("M", bound="Parameters")

DEFAULT_TIMEOUT_S = 180
DEFAULT_HOURS_BACKWARDS = 1
MAX_HOURS_BACKWARDS = 720
DEFAULT_MAX_MESSAGES = 100

_LIST_SEPARATORS = re.compile(r"[,\n\r]+")
_PLACEHOLDER = re.compile(r"^\[[^\[\]]+\]$")
_PYDANTIC_PREFIX = re.compile(r"^(Value error|Assertion failed), ")


def split_list(text: str) -> tuple[str, ...]:
    """Split a list parameter: commas or line breaks separate, blanks and empty items don't count, order stays."""
    return tuple(dict.fromkeys(item for part in _LIST_SEPARATORS.split(text) if (item := part.strip())))


def is_placeholder(text: str) -> bool:
    """Whether a value is a playbook placeholder that was not filled, such as ``[Event.x]``."""
    return bool(_PLACEHOLDER.match(text))


def _stripped(value: object) -> str:
    return "" if value is None else str(value).strip()


def _boolean(value: object) -> bool:
    text = _stripped(value).lower()
    if text in ("true", "false"):
        return text == "true"
    if is_placeholder(text):
        raise ValueError(f"the playbook placeholder {_stripped(value)} was not filled; use true or false")
    raise ValueError("only true and false are possible")


Text = Annotated[str, BeforeValidator(_stripped)]
CsvList = Annotated[tuple[str, ...], BeforeValidator(lambda value: split_list(_stripped(value)))]
Boolean = Annotated[bool, BeforeValidator(_boolean)]


def _not_blank(value: str) -> str:
    if not value:
        raise ValueError("a value is needed")
    return value


MandatoryText = Annotated[Text, AfterValidator(_not_blank)]


class Parameters(BaseModel):
    """What all models of parameters share: display names as aliases, an absent or blank value means the default."""

    model_config = ConfigDict(
        frozen=True,
        populate_by_name=True,
        extra="ignore",
        validate_default=False,
        hide_input_in_errors=True,
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        blanks = {
            field.alias for field in cls.model_fields.values() if field.alias and not _stripped(values.get(field.alias))
        }
        mandatory = {field.alias for field in cls.model_fields.values() if field.is_required()}
        kept = {name: value for name, value in values.items() if name not in blanks}
        return kept | dict.fromkeys(sorted(blanks & mandatory), "")

    @classmethod
    def read(
        cls: type[M],
        values: Mapping[str, object],
        *,
        warnings: list[str] | None = None,
        error: type[MimecastError] = ValidationError,
    ) -> M:
        """Read and check the platform's values.

        Args:
            values: Display name to value; unknown names are ignored.
            warnings: Where notes about values that were replaced by a default go.
            error: What to raise.

        Returns:
            The parameters.

        Raises:
            MimecastError: Of the class asked for; it names every parameter that is wrong, never its value if secret.
        """
        try:
            return cls.model_validate(dict(values), context=warnings if warnings is not None else [])
        except PydanticError as problem:
            lines = []
            for item in problem.errors(include_url=False, include_input=False, include_context=False):
                text = _PYDANTIC_PREFIX.sub("", item["msg"])
                name = item["loc"][0] if item["loc"] else None
                lines.append(f'Parameter "{name}": {text}.' if name else text)
            raise error(" ".join(lines)) from None


def _api_root(value: str) -> str:
    if not value:
        raise ValueError("a value is needed, such as https://eu-api.mimecast.com")
    if "{{" in value or "<<" in value:
        raise ValueError(
            "the example text is still there; enter your tenant's address, https://eu-api.mimecast.com say"
        )
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("it must start with https:// and name a host, such as https://eu-api.mimecast.com")
    if any(character.isspace() for character in value):
        raise ValueError("there is a blank inside it")
    if parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"):
        raise ValueError("only scheme and host belong there, such as https://eu-api.mimecast.com")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("its port is no number") from None
    return f"{parts.scheme}://{parts.netloc}"


def _header_text(value: str) -> str:
    """Check a value that is sent in a header as it is: a character that can't stand there would end in a crash."""
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("it holds a blank, a line break or a letter that no key has; copy it again from Mimecast")
    return value


HeaderText = Annotated[Text, AfterValidator(_header_text)]


class Configuration(Parameters):
    """How to reach and sign in to Mimecast; the same for the integration and the connector.

    Either all four API 1.0 values or both API 2.0 values must be there; if both sets are, API 2.0 is used.
    """

    api_root: Annotated[Text, AfterValidator(_api_root)] = Field(alias="API Root")
    application_id: HeaderText = Field("", alias="Application ID")
    application_key: Text = Field("", alias="Application Key", repr=False)
    access_key: HeaderText = Field("", alias="Access Key", repr=False)
    secret_key: Text = Field("", alias="Secret Key", repr=False)
    client_id: Text = Field("", alias="Client ID")
    client_secret: Text = Field("", alias="Client Secret", repr=False)
    verify_ssl: Boolean = Field(True, alias="Verify SSL")

    @model_validator(mode="after")
    def _complete_credentials(self) -> Configuration:
        api_1 = {
            "Application ID": self.application_id,
            "Application Key": self.application_key,
            "Access Key": self.access_key,
            "Secret Key": self.secret_key,
        }
        api_2 = {"Client ID": self.client_id, "Client Secret": self.client_secret}
        if all(api_1.values()) or all(api_2.values()):
            return self
        missing_1 = [name for name, value in api_1.items() if not value]
        missing_2 = [name for name, value in api_2.items() if not value]
        choices = []
        if len(missing_2) < len(api_2) or len(missing_1) == len(api_1):
            choices.append(f"for API 2.0: {_quoted(missing_2)}")
        if len(missing_1) < len(api_1) or len(missing_2) == len(api_2):
            choices.append(f"for API 1.0: {_quoted(missing_1)}")
        raise ValueError(f"Credentials are incomplete. Missing {'; or '.join(choices)}.")

    @property
    def uses_api_2(self) -> bool:
        """Whether requests are signed with an OAuth token (API 2.0) rather than with HMAC (API 1.0)."""
        return bool(self.client_id and self.client_secret)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def read_configuration(values: Mapping[str, object]) -> Configuration:
    """Read and check the configuration.

    Raises:
        ConfigurationError: It can't work; the text names every parameter that is missing or wrong.
    """
    return Configuration.read(values, error=ConfigurationError)


class NoParameters(Parameters):
    """An action without parameters."""


# --- connector -------------------------------------------------------------------------------------------------------


def _warn(info: ValidationInfo, text: str) -> None:
    if isinstance(info.context, list):
        info.context.append(text)


def _known_only(values: tuple[str, ...], known: tuple[str, ...], name: str, info: ValidationInfo) -> tuple[str, ...]:
    """Keep the known words of a filter; say which were dropped; fail if nothing is left of a filter that was set."""
    lowered = tuple(dict.fromkeys(value.lower() for value in values))
    good = tuple(value for value in lowered if value in known)
    bad = [value for value in values if value.lower() not in known]
    possible = ", ".join(known)
    if bad and not good:
        raise ValueError(f"none of its values is known ({', '.join(bad)}). Possible values: {possible}")
    if bad:
        _warn(info, f'Parameter "{name}": {", ".join(bad)} is ignored. Possible values: {possible}.')
    return good


def _number_or_default(value: object, name: str, default: int, low: int, high: int | None, info: ValidationInfo) -> int:
    text = _stripped(value)
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if number < low or (high is not None and number > high):
        allowed = f"a whole number from {low} to {high}" if high is not None else f"a whole number from {low} up"
        _warn(info, f'Parameter "{name}": {text} is not {allowed}; {default} is used.')
        return default
    return number


class ConnectorParameters(Parameters):
    """Parameters of the Message Tracking connector, without those of the configuration."""

    environment_field: Text = Field("", alias="Environment Field Name")
    environment_pattern: Text = Field(".*", alias="Environment Regex Pattern")
    timeout_s: int = Field(DEFAULT_TIMEOUT_S, alias="PythonProcessTimeout")
    device_product_field: Text = Field("Product Name", alias="DeviceProductField")
    domains: CsvList = Field(alias="Domains")
    lowest_risk: Text = Field("", alias="Lowest Risk To Fetch")
    statuses: CsvList = Field((), alias="Status Filter")
    routes: CsvList = Field((), alias="Route Filter")
    queue_reasons: CsvList = Field((), alias="Queue Reason Filter")
    ingest_without_risk: Boolean = Field(True, alias="Ingest Messages Without Risk")
    max_hours_backwards: int = Field(DEFAULT_HOURS_BACKWARDS, alias="Max Hours Backwards")
    max_messages: int = Field(DEFAULT_MAX_MESSAGES, alias="Max Messages To Return")
    allow_list_is_block_list: Boolean = Field(True, alias="Use whitelist as a blacklist")

    @field_validator("domains")
    @classmethod
    def _some_domain(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        domains = tuple(dict.fromkeys(domain.lower().removeprefix("@") for domain in value))
        if not domains:
            raise ValueError("at least one domain is needed, such as example.com")
        return domains

    @field_validator("lowest_risk")
    @classmethod
    def _known_risk(cls, value: str, info: ValidationInfo) -> str:
        if value and value.lower() not in RISKS:
            _warn(info, f'Parameter "Lowest Risk To Fetch": {value} is ignored. Possible values: {", ".join(RISKS)}.')
            return ""
        return value.lower()

    @field_validator("statuses")
    @classmethod
    def _known_statuses(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return _known_only(value, STATUSES, "Status Filter", info)

    @field_validator("routes")
    @classmethod
    def _known_routes(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return _known_only(value, ROUTES, "Route Filter", info)

    @field_validator("queue_reasons")
    @classmethod
    def _folded_reasons(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(reason.casefold() for reason in value)

    @field_validator("environment_pattern")
    @classmethod
    def _compilable(cls, value: str, info: ValidationInfo) -> str:
        try:
            re.compile(value)
        except re.error:
            _warn(info, 'Parameter "Environment Regex Pattern": it is no regular expression; .* is used.')
            return ".*"
        return value

    @field_validator("timeout_s", mode="before")
    @classmethod
    def _sensible_timeout(cls, value: object, info: ValidationInfo) -> int:
        return _number_or_default(value, "PythonProcessTimeout", DEFAULT_TIMEOUT_S, 1, None, info)

    @field_validator("max_hours_backwards", mode="before")
    @classmethod
    def _sensible_hours(cls, value: object, info: ValidationInfo) -> int:
        name = "Max Hours Backwards"
        return _number_or_default(value, name, DEFAULT_HOURS_BACKWARDS, 1, MAX_HOURS_BACKWARDS, info)

    @field_validator("max_messages", mode="before")
    @classmethod
    def _sensible_limit(cls, value: object, info: ValidationInfo) -> int:
        return _number_or_default(value, "Max Messages To Return", DEFAULT_MAX_MESSAGES, 1, None, info)
