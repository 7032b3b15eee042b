"""The Kubernetes form of a step: what its pod is given, and what its end means. The real provider where it is importable."""

import os
import sys
import types
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "dags"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import fakes  # noqa: E402

fakes.install_kubernetes()

from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException  # noqa: E402

from sales_tasks import kubernetes_runtime  # noqa: E402
from sales_tasks.kubernetes_runtime import KubernetesPodOperator, KubernetesStep  # noqa: E402

ENVIRONMENT = {
    "SALES_RUNTIME": "kubernetes", "SALES_IMAGE": "registry.example/sales-tasks@sha256:00", "SALES_KUBERNETES_NAMESPACE": "sales",
    "SALES_KUBERNETES_SECRET": "connections", "SALES_S3_CONN_ID": "s3", "SALES_LEADS_VOLUME": "leads-claim", "SALES_MEMORY_MB": "512",
}


def load(name):
    path = ROOT / "dags" / f"{name}.py"
    scope = {"__file__": str(path), "__name__": name}
    with mock.patch.dict(os.environ, ENVIRONMENT):
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), scope)  # noqa: S102 - our own file
    return list(scope["dag"].tasks)


def pod(exit_code=None, phase="Failed", message=None, reason=None, container="base"):
    terminated = None if exit_code is None else types.SimpleNamespace(exit_code=exit_code, message=message, reason=reason)
    statuses = [
        types.SimpleNamespace(name="airflow-xcom-sidecar", state=types.SimpleNamespace(terminated=types.SimpleNamespace(exit_code=0))),
        types.SimpleNamespace(name=container, state=types.SimpleNamespace(terminated=terminated)),
    ]
    return types.SimpleNamespace(
        metadata=types.SimpleNamespace(name="p", namespace="n"), status=types.SimpleNamespace(phase=phase, container_statuses=statuses))


class PodTests(unittest.TestCase):
    def setUp(self):
        (self.step,) = load("sales_lead_ingest")

    def test_secrets_are_referred_to_and_never_held(self):
        variables = {variable.name: variable for variable in self.step.env_vars}

        for connection in ("SALES_POSTGRES", "S3"):
            variable = variables[f"AIRFLOW_CONN_{connection}"]
            reference = variable.value_from.secret_key_ref
            self.assertEqual((None, "connections", f"AIRFLOW_CONN_{connection}"), (variable.value, reference.name, reference.key))
        self.assertEqual("{{ params | tojson }}", variables["SALES_PARAMS"].value)
        self.assertEqual("s3", variables["SALES_S3_CONN_ID"].value)

    def test_pod_has_no_rights_and_is_always_deleted(self):
        step = self.step
        self.assertIsInstance(step, KubernetesStep)
        self.assertEqual((True, 1654), (step.security_context["runAsNonRoot"], step.security_context["runAsUser"]))
        context = step.container_security_context
        self.assertEqual((False, True, ["ALL"]), (
            context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"], context["capabilities"]["drop"]))
        self.assertEqual({"memory": "512Mi"}, step.container_resources.limits)
        self.assertEqual([{"on_finish_action": "delete_pod"}, {"is_delete_operator_pod": True}].count(kubernetes_runtime.REMOVE_ALWAYS), 1)
        self.assertEqual((True, 10, "sales"), (step.do_xcom_push, step.termination_grace_period, step.namespace))
        self.assertEqual(["leads", "import"], step.arguments)
        self.assertEqual(["/tmp", "/leads"], [volume.mount_path for volume in step.volume_mounts])


class EndTests(unittest.TestCase):
    def setUp(self):
        (self.step,) = load("sales_lead_ingest")
        self.latest = None
        patch = mock.patch.object(KubernetesStep, "hook", mock.Mock(get_pod=lambda name, namespace: self.latest), create=True)
        patch.start()
        self.addCleanup(patch.stop)

        def base(_step, pod, remote_pod):
            if remote_pod is None or remote_pod.status.phase != "Succeeded":
                raise AirflowException("the whole pod")

        patch = mock.patch.object(KubernetesPodOperator, "cleanup", base)
        patch.start()
        self.addCleanup(patch.stop)

    def test_exit_codes_become_airflows_exceptions_with_the_reason(self):
        for code, kind in [(64, AirflowFailException), (70, AirflowFailException), (99, AirflowSkipException), (75, AirflowException),
                           (143, AirflowException)]:
            with self.subTest(code), self.assertRaisesRegex(kind, f"leads import ended with {code} .*: because$") as raised:
                self.step.cleanup(pod(), pod(code, message=" because\n"))
            self.assertIs(kind, type(raised.exception))

    def test_pod_known_from_before_its_end_is_looked_at_again(self):
        self.latest = pod(64)
        with self.assertRaises(AirflowFailException):
            self.step.cleanup(pod(), pod(phase="Running"))

    def test_pod_that_never_ran_is_left_to_the_base_class(self):
        for known in (None, pod(phase="Pending")):
            with self.subTest(known), self.assertRaisesRegex(AirflowException, "the whole pod"):
                self.step.cleanup(pod(), known)

    def test_out_of_memory_says_what_to_raise(self):
        with self.assertRaisesRegex(AirflowException, "SALES_MEMORY_MB"):
            self.step.cleanup(pod(), pod(137, reason="OOMKilled"))

    def test_success_raises_nothing(self):
        self.assertIsNone(self.step.cleanup(pod(), pod(0, phase="Succeeded")))


if __name__ == "__main__":
    unittest.main()
