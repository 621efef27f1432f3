"""Parameters of actions, connectors and integrations."""

from __future__ import annotations

from typing import Any

from SiemplifyUtils import convert_parameter
from TIPCommon.exceptions import ParameterValidationError


def _extract(
    siemplify: Any,
    values: dict[str, Any],
    param_name: str,
    default_value: Any,
    input_type: type,
    is_mandatory: bool,
    print_value: bool,
    remove_whitespaces: bool,
) -> Any:
    """Pick one value; a falsy one counts as missing, and the default is returned as it is."""
    if default_value and type(default_value) is not input_type:
        raise Exception(f"Given default_value of '{default_value}' doesn't match expected type {input_type.__name__}")
    value = values.get(param_name)
    if not value:
        if is_mandatory:
            raise Exception(f"Missing mandatory parameter {param_name}")
        siemplify.LOGGER.info(
            f"Parameter {param_name} was not found or was empty, used default_value {default_value} instead"
        )
        return default_value
    if print_value:
        siemplify.LOGGER.info(f"{param_name}: {value}")
    try:
        result = convert_parameter(param_name, value, input_type, "Paramater")
    except ValueError as error:
        if input_type is not int:
            raise
        raise ParameterValidationError(
            param_name, value, "The value must be an integer", print_value=print_value
        ) from error
    return result.strip() if remove_whitespaces and isinstance(result, str) else result


def extract_action_param(
    siemplify: Any,
    param_name: str,
    default_value: Any = None,
    input_type: type = str,
    is_mandatory: bool = False,
    print_value: bool = False,
    remove_whitespaces: bool = True,
) -> Any:
    """Pick one parameter of an action. A mandatory one of blanks passes and comes back empty."""
    values = siemplify.parameters
    return _extract(
        siemplify, values, param_name, default_value, input_type, is_mandatory, print_value, remove_whitespaces
    )


def extract_connector_param(
    siemplify: Any,
    param_name: str,
    default_value: Any = None,
    input_type: type = str,
    is_mandatory: bool = False,
    print_value: bool = False,
    remove_whitespaces: bool = True,
) -> Any:
    """Pick one parameter of a connector."""
    values = siemplify.parameters
    return _extract(
        siemplify, values, param_name, default_value, input_type, is_mandatory, print_value, remove_whitespaces
    )


def extract_configuration_param(
    siemplify: Any,
    provider_name: str,
    param_name: str,
    default_value: Any = None,
    input_type: type = str,
    is_mandatory: bool = False,
    print_value: bool = False,
    remove_whitespaces: bool = True,
) -> Any:
    """Pick one parameter of the integration; every call asks the server for all of them."""
    if not provider_name:
        raise Exception("provider_name cannot be None/empty")
    values = siemplify.get_configuration(provider_name)
    return _extract(
        siemplify, values, param_name, default_value, input_type, is_mandatory, print_value, remove_whitespaces
    )
