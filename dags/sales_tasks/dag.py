"""``sales_dag`` and ``step``: all that a DAG file of SalesTasks is made of."""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Mapping, Sequence

from airflow import DAG
from airflow.datasets import Dataset
from airflow.hooks.base import BaseHook
from airflow.models.param import Param

from sales_tasks import contract

_SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
_log = logging.getLogger(__name__)

# Airflow's own pools limit what runs at once; dags/pools.json has their sizes and `airflow pools import` makes them.
PIPELINE_POOL = "sales_pipeline"
MESSAGES_POOL = "sales_messages"
CRM_POOL = "sales_crm"
MODEL_POOL = "sales_ml"


def sales_dag(
    dag_id: str,
    *,
    schedule: str | None,
    doc: str,
    tags: Sequence[str] = (),
    schema: str | None = None,
    dagrun_timeout: timedelta = timedelta(hours=6),
    **dag_options: Any,
) -> DAG:
    """
    A DAG as all of ours are: params from the program's own schema, never two runs at once, no catching up, retries that wait longer
    each time.

    :param schedule: cron in UTC; None for runs by hand only.
    :param doc: Markdown for people, the file's docstring; its first line is the DAG's description.
    :param schema: whose parameters the form offers, for a DAG with an id of your own that runs the steps of one of ours.
    :param dag_options: further arguments of DAG.
    """
    settings = contract.Settings.read(os.environ)
    parameters = contract.load_schema(_SCHEMAS, schema or dag_id)
    # Mapped steps get their shard by flag, which would override the form's without a word.
    params = contract.param_arguments(parameters, without=["shard"] if settings.shards > 1 else [])
    return DAG(
        dag_id,
        schedule=schedule,
        start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=dagrun_timeout,
        description=doc.strip().splitlines()[0],
        doc_md=contract.dag_doc(doc, params),
        tags=["sales", *tags],
        params={name: Param(**keywords) for name, keywords in params.items()},
        on_failure_callback=notify_timed_out_run,
        default_args={
            "owner": "sales-operations",
            "depends_on_past": False,
            "retries": 3,
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=15),
            "execution_timeout": timedelta(hours=1),
            # A step that had nothing to do (and was asked to say so) must not keep the next one from its work.
            "trigger_rule": "none_failed",
            "on_failure_callback": notify_failed_task,
        },
        **dag_options,
    )


def step(
    command: str,
    *,
    connections: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    sharded: bool = False,
    files: bool = False,
    backups: bool = False,
    updates: Sequence[str] = (),
    pool: str = PIPELINE_POOL,
    memory_mb: int | None = None,
    task_id: str | None = None,
    **task_options: Any,
) -> Any:
    """
    One command of the program as a task, in the runtime that SALES_RUNTIME names. Its XCom is the program's JSON result.

    :param command: the words after the program's name, such as ``scoring score``.
    :param connections: what it connects to besides the database, by role (``email``, ``slack``, …).
    :param options: the command's flags by parameter name; they win over the run's params.
    :param sharded: the command takes ``--shard``: with SALES_SHARDS above 1 it is mapped over that many containers.
    :param files: it reads or writes files: the volume SALES_LEADS_VOLUME, where there is one, is mounted at /leads.
    :param backups: it writes backups: the volume SALES_BACKUP_VOLUME, where there is one, is mounted at /backups, and it connects to
        the database by SALES_BACKUP_POSTGRES_CONN_ID, where that is set: a backup reads what is kept from jobs.
    :param updates: tables it changes; each is announced as the dataset ``x-sales-tasks://TABLE``.
    :param memory_mb: memory limit, where SALES_MEMORY_MB does not fit.
    :param task_options: further arguments of the task, such as ``execution_timeout``.
    """
    settings = contract.Settings.read(os.environ)
    ids = settings.ids_of(connections)
    if backups and settings.backup_postgres:
        ids["postgres"] = settings.backup_postgres
    runtime = _RUNTIMES[settings.runtime]
    operator, words, arguments = runtime(settings, ids, _volumes(settings, files, backups), memory_mb or settings.memory_mb)
    arguments.update(
        task_id=task_id or command.replace(" ", "_"),
        pool=pool,
        outlets=[Dataset(f"x-sales-tasks://{table}") for table in updates],
        doc_md=f"Runs `sales-tasks {command}`. By hand: `sales-tasks {command} --help`.",
        **task_options,
    )
    options = options or {}
    if sharded and settings.shards > 1:
        shards = [contract.arguments(command, options, (i, settings.shards)) for i in range(settings.shards)]
        return operator.partial(**arguments).expand(**{words: shards})
    return operator(**arguments, **{words: contract.arguments(command, options)})


def _volumes(settings: contract.Settings, files: bool, backups: bool) -> list[tuple[str, str, str]]:
    """Name, what to mount, and where."""
    wanted = [
        ("leads", settings.leads_volume if files else None, contract.LEADS_FOLDER),
        ("backups", settings.backup_volume if backups else None, contract.BACKUP_FOLDER),
    ]
    return [(name, volume, folder) for name, volume, folder in wanted if volume]


def _docker(
    settings: contract.Settings, ids: dict[str, str], volumes: list[tuple[str, str, str]], memory_mb: int
) -> tuple[Any, str, dict[str, Any]]:
    # Imported when needed: an Airflow on Kubernetes need not have the Docker provider, nor the other way round.
    from docker.types import Mount

    from sales_tasks.docker_runtime import DockerStep

    arguments: dict[str, Any] = {
        "image": settings.image,
        "environment": contract.step_environment(settings, ids),
        "connection_ids": ids,
        "instance": settings.instance,
        "docker_url": settings.docker_url,
        "docker_conn_id": settings.docker_conn_id,
        "api_version": "auto",
        "network_mode": settings.docker_network,
        "mem_limit": f"{memory_mb}m",
        "mount_tmp_dir": False,
    }
    if settings.docker_cert_path:
        arguments.update(
            tls_ca_cert=f"{settings.docker_cert_path}/ca.pem",
            tls_client_cert=f"{settings.docker_cert_path}/cert.pem",
            tls_client_key=f"{settings.docker_cert_path}/key.pem",
        )
    if volumes:
        arguments["mounts"] = [
            Mount(target=folder, source=volume, type="bind" if volume.startswith("/") else "volume") for _, volume, folder in volumes
        ]
    return DockerStep, "command", arguments


def _kubernetes(
    settings: contract.Settings, ids: dict[str, str], volumes: list[tuple[str, str, str]], memory_mb: int
) -> tuple[Any, str, dict[str, Any]]:
    from kubernetes.client import models as k8s

    from sales_tasks.kubernetes_runtime import REMOVE_ALWAYS, KubernetesStep

    # Airflow's own connections stay out of pods: whoever may read a pod's specification would read the passwords in it.
    secrets = [
        k8s.V1EnvVar(
            name=variable,
            value_from=k8s.V1EnvVarSource(secret_key_ref=k8s.V1SecretKeySelector(name=settings.kubernetes_secret, key=variable)),
        )
        for variable in map(contract.connection_variable, dict.fromkeys(ids.values()))
    ]
    shown = [k8s.V1EnvVar(name=name, value=value) for name, value in contract.step_environment(settings, ids).items()]
    pod_volumes = [k8s.V1Volume(name="tmp", empty_dir=k8s.V1EmptyDirVolumeSource())]
    mounts = [k8s.V1VolumeMount(name="tmp", mount_path="/tmp")]
    for name, volume, folder in volumes:
        claim = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=volume)
        pod_volumes.append(k8s.V1Volume(name=name, persistent_volume_claim=claim))
        mounts.append(k8s.V1VolumeMount(name=name, mount_path=folder))
    arguments: dict[str, Any] = {
        "image": settings.image,
        "env_vars": [*shown, *secrets],
        "do_xcom_push": True,
        "get_logs": True,
        "log_events_on_failure": True,
        "reattach_on_restart": True,
        "termination_grace_period": contract.STOP_GRACE_SECONDS,
        "startup_timeout_seconds": 300,
        "labels": {"app.kubernetes.io/name": "sales-tasks", "app.kubernetes.io/instance": settings.instance},
        "container_resources": k8s.V1ResourceRequirements(
            requests={"cpu": "250m", "memory": f"{memory_mb // 2}Mi"}, limits={"memory": f"{memory_mb}Mi"}
        ),
        "security_context": {
            "runAsNonRoot": True,
            "runAsUser": 1654,
            "runAsGroup": 1654,
            "fsGroup": 1654,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "container_security_context": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumes": pod_volumes,
        "volume_mounts": mounts,
        **REMOVE_ALWAYS,
    }
    optional = {
        "namespace": settings.kubernetes_namespace,
        "service_account_name": settings.kubernetes_service_account,
        "kubernetes_conn_id": settings.kubernetes_conn_id,
        "image_pull_secrets": settings.kubernetes_image_pull_secret
        and [k8s.V1LocalObjectReference(name=settings.kubernetes_image_pull_secret)],
    }
    arguments.update({name: value for name, value in optional.items() if value})
    return KubernetesStep, "arguments", arguments


_RUNTIMES = {"docker": _docker, "kubernetes": _kubernetes}


# ---- telling people ----


def notify_failed_task(context: Mapping[str, Any]) -> None:
    """A task has failed for good (not: will be retried)."""
    ti = context["task_instance"]
    _notify(ti.dag_id, ti.run_id, ti.task_id, ti.try_number, str(context.get("exception") or "failed"), ti.log_url)


def notify_timed_out_run(context: Mapping[str, Any]) -> None:
    """A run has failed. Where a task did, that was told already; one that took too long has no failed task."""
    if context.get("reason") == "timed_out":
        run = context["dag_run"]
        _notify(run.dag_id, run.run_id, None, None, "the run took too long and was stopped", None)


def _notify(dag_id: str, run_id: str, task_id: str | None, try_number: int | None, reason: str, link: str | None) -> None:
    """To the Slack connection, where one is configured. Whatever goes wrong here is logged and changes nothing else."""
    connection_id = contract.Settings.read(os.environ).connection_ids.get("slack")
    if connection_id is None:
        return
    try:
        connection = BaseHook.get_connection(connection_id)
        url = contract.slack_url(connection.host, connection.password)
        text = contract.slack_text(dag_id, run_id, task_id, try_number, reason, link)
        request = urllib.request.Request(url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10):
            pass
    except Exception as failure:  # noqa: BLE001 - the failure that is being told must not be replaced by this one
        # Not its text, which may hold the address and so the token.
        _log.warning("Slack (connection %s) could not be told of the failure: %s", connection_id, type(failure).__name__)
