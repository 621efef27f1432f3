"""Errors of TIPCommon."""

from __future__ import annotations


class ParameterValidationError(Exception):
    """A parameter has a value it cannot have."""

    def __init__(self, param_name: str, value: object, message: str, print_value: bool = True) -> None:
        shown = f" Wrong value provided: {value}" if print_value else ""
        super().__init__(f'Invalid parameter "{param_name}". {message}.{shown}')
