"""A step as a Kubernetes pod."""

from __future__ import annotations

import inspect
from typing import Any, Sequence

from airflow.exceptions import AirflowException
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

from sales_tasks import contract
from sales_tasks.outcome import conclude


def _accepts(name: str) -> bool:
    return name in inspect.signature(KubernetesPodOperator.__init__).parameters


# Provider 7.2 renamed it and 10.0 dropped the old name.
REMOVE_ALWAYS: dict[str, Any] = {"on_finish_action": "delete_pod"} if _accepts("on_finish_action") else {"is_delete_operator_pod": True}


class KubernetesStep(KubernetesPodOperator):
    """
    Runs one command of the program in one pod, which is deleted whatever happens.

    The base class does the work; this one tells by the container's exit code whether a retry helps.
    """

    template_fields: Sequence[str] = ("image", "arguments", "env_vars")
    template_ext: Sequence[str] = ()
    ui_color = "#dcefe3"

    def cleanup(self, pod: Any, remote_pod: Any, *args: Any, **kwargs: Any) -> Any:
        """Called by the base class when the pod has ended and, with whatever is known of it, when something went wrong."""
        terminated = self._terminated(remote_pod) or self._terminated(self._latest(remote_pod or pod))
        try:
            return super().cleanup(pod, remote_pod, *args, **kwargs)
        except AirflowException:
            if terminated is None or terminated.exit_code == 0:
                raise
            # The base class's message holds the whole pod. The program leaves its reason in the termination message.
            result = {"error": terminated.message.strip()} if terminated.message else None
            conclude(self.arguments, terminated.exit_code, result, out_of_memory=terminated.reason == "OOMKilled")

    def _terminated(self, pod: Any) -> Any:
        """The final state of the container that ran the program; None while it runs or where it never did."""
        statuses = (getattr(getattr(pod, "status", None), "container_statuses", None)) or []
        return next((s.state.terminated for s in statuses if s.name == self.base_container_name and s.state), None)

    def _latest(self, pod: Any) -> Any:
        """The pod as it is now: the base class may hand over what it knew before the container ended."""
        if pod is None or pod.metadata is None:
            return None
        try:
            return self.hook.get_pod(pod.metadata.name, pod.metadata.namespace)
        except Exception as failure:  # noqa: BLE001 - whatever the client raises, the base class's own error is the one to show
            self.log.warning("The pod's end could not be read: %s", type(failure).__name__)
            return None
