"""What all action scripts share: configuration once, parameters, run, report, and always one result."""

from __future__ import annotations

import atexit
import gc
import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

import requests

from MimecastConstants import API_1, INTEGRATION_IDENTIFIER
from MimecastExceptions import ConfigurationError, MimecastError
from MimecastManager import Clock, MimecastManager
from MimecastParameters import Parameters, read_configuration
from ScriptResult import EXECUTION_STATE_COMPLETED, EXECUTION_STATE_FAILED
from SiemplifyAction import SiemplifyAction

# When the process ends, nobody needs what a search for garbage in all that was imported would find; it takes 40 ms.
atexit.register(gc.freeze)

P = TypeVar("P", bound=Parameters)

TIME_BUDGET_S = 540.0
"""For all network work of an action; the platform stops it after 600 s."""
DEADLINE_MARGIN_S = 15.0
"""How long before the platform's own deadline the network work ends, so that the result still gets out."""

FAILURE = 'Error executing action "{name}". Reason: {reason}'


@dataclass(frozen=True)
class ActionResult:
    """What an action has to report.

    Attributes:
        message: The output message.
        json: The JSON result; None if there is none.
        tables: Case-wall tables: title to CSV lines, the first of them the header.
    """

    message: str
    json: Sequence[Any] | Mapping[str, Any] | None = None
    tables: Mapping[str, Sequence[str]] | None = None


def run_action(
    name: str,
    model: type[P],
    perform: Callable[[MimecastManager, P], ActionResult],
    *,
    failure: str = FAILURE,
    clock: Clock | None = None,
    session: requests.Session | None = None,
) -> None:
    """Run an action and end the script, with one result whatever happens.

    Args:
        name: The action's display name.
        model: The model of its parameters.
        perform: Does the work; what it raises becomes the failure's reason.
        failure: The message of a failure, with ``{name}`` and ``{reason}``.
        clock: Time, for tests.
        session: HTTP session, for tests.
    """
    siemplify = SiemplifyAction()
    siemplify.script_name = f"{INTEGRATION_IDENTIFIER} - {name}"
    result, reason = ActionResult(""), ""
    try:
        result = _perform(siemplify, model, perform, clock or Clock(), session)
        _report(siemplify, result)
    except MimecastError as error:
        reason = error.message
        siemplify.LOGGER.error(
            f"{type(error).__name__}: status {error.status}, code {error.code}, id {error.request_id}"
        )
    except Exception as error:  # noqa: BLE001 - the analyst must get a result, whatever happened
        reason = f"an unexpected error ({type(error).__name__}); the action's log shows where"
        # The frames only: an exception's own text may quote a parameter.
        siemplify.LOGGER.error("".join(traceback.format_tb(error.__traceback__)))
    if reason:
        siemplify.end(failure.format(name=name, reason=reason), False, EXECUTION_STATE_FAILED)
    else:
        siemplify.end(result.message, True, EXECUTION_STATE_COMPLETED)


def _perform(
    siemplify: SiemplifyAction,
    model: type[P],
    perform: Callable[[MimecastManager, P], ActionResult],
    clock: Clock,
    session: requests.Session | None,
) -> ActionResult:
    parameters = model.read(siemplify.parameters or {})
    try:
        values = siemplify.get_configuration(INTEGRATION_IDENTIFIER)
    except Exception as error:  # noqa: BLE001 - the SDK raises plain exceptions
        raise ConfigurationError(
            f"The platform did not give the integration's configuration ({type(error).__name__}). Is an instance of "
            "the integration configured for this environment?"
        ) from None
    manager = MimecastManager(
        read_configuration(values or {}), _time_budget(siemplify, clock), clock=clock, session=session
    )
    with closing(manager):
        if manager.api == API_1:
            siemplify.LOGGER.info("API 1.0 keys are in use. Mimecast issues no new ones; prefer API 2.0 where you can.")
        try:
            return perform(manager, parameters)
        finally:
            siemplify.LOGGER.info(f"{manager.transport.requests_sent} request(s) to Mimecast.")


def _time_budget(siemplify: SiemplifyAction, clock: Clock) -> float:
    deadline_ms = siemplify.execution_deadline_unix_time_ms
    if not deadline_ms:
        return TIME_BUDGET_S
    left = int(deadline_ms) / 1000 - clock.now().timestamp() - DEADLINE_MARGIN_S
    return max(1.0, min(TIME_BUDGET_S, left))


def _report(siemplify: SiemplifyAction, result: ActionResult) -> None:
    if result.json is not None:
        siemplify.result.add_result_json(json.dumps(result.json, ensure_ascii=False))
    for title, lines in (result.tables or {}).items():
        siemplify.result.add_data_table(title, list(lines))
