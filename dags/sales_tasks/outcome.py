"""An exit code as Airflow's exceptions, for every runtime."""

from __future__ import annotations

from typing import Any, Sequence

from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from sales_tasks import contract

_EXCEPTIONS = {
    contract.Outcome.SKIP: AirflowSkipException,
    contract.Outcome.RETRY: AirflowException,
    contract.Outcome.FAIL: AirflowFailException,
}


def conclude(command: Sequence[str], exit_code: int, result: dict[str, Any] | None, out_of_memory: bool = False) -> dict[str, Any]:
    """The result, for XCom; or the exception that makes Airflow skip, retry or give up."""
    outcome = contract.outcome(exit_code)
    if outcome is contract.Outcome.DONE and result is not None:
        return result
    if outcome is contract.Outcome.DONE:
        # Doing it again costs nothing, where a lost result may mislead a task downstream.
        raise AirflowException(f"{' '.join(command)} ended well, but its result could not be read")
    raise _EXCEPTIONS[outcome](contract.ending(command, exit_code, result, out_of_memory))
