"""What Airflow and the program ``sales-tasks`` agree on, as plain functions: environment, connections, exit codes, result, log lines.

Standard library only and free of Airflow, so that every rule here can be tested on any Python that Airflow 2.6 to 2.11 run on (3.7 or later).
"""

from __future__ import annotations

import io
import json
import logging
import re
import tarfile
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping, Sequence

# What a step may connect to. The id comes from the variable SALES_<ROLE>_CONN_ID, here as in the program.
ROLES = ("postgres", "email", "slack", "crm", "s3", "calls", "tasks", "ml", "encryption", "backup")
DEFAULT_POSTGRES = "sales_postgres"

# The program asks itself to end within 8 seconds of SIGTERM; Docker kills after this many.
STOP_GRACE_SECONDS = 10

# Owned by the image's user in .NET's runtime images; a volume there is writable although the root file system is not.
RESULT_FOLDER = "/home/app"
RESULT_PATH = RESULT_FOLDER + "/result.json"

LEADS_FOLDER = "/leads"
BACKUP_FOLDER = "/backups"

# Handed on to the containers as they are. OTEL_EXPORTER_OTLP_HEADERS is left out: it may hold a token, and these are shown in the UI.
PASSED_ON = (
    "SALES_LOG_LEVEL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
)

# Templates, rendered by Airflow for each try. The instants may render as None, which the program takes for "not given".
RUN_ENVIRONMENT = {
    "SALES_PARAMS": "{{ params | tojson }}",
    "SALES_DAG_ID": "{{ dag.dag_id }}",
    "SALES_TASK_ID": "{{ task.task_id }}",
    "SALES_RUN_ID": "{{ run_id }}",
    "SALES_LOGICAL_DATE": "{{ logical_date | ts }}",
    "SALES_DATA_INTERVAL_START": "{{ data_interval_start | ts }}",
    "SALES_DATA_INTERVAL_END": "{{ data_interval_end | ts }}",
    "SALES_TRY_NUMBER": "{{ ti.try_number }}",
    "SALES_MAP_INDEX": "{{ ti.map_index }}",
}


# ---- settings of the Airflow process ----


@dataclass(frozen=True)
class Settings:
    """How this Airflow runs steps; read from its own environment."""

    runtime: str = "docker"
    image: str = "sales-tasks:0.1.0"
    instance: str = "airflow"
    shards: int = 1
    memory_mb: int = 1024
    leads_volume: str | None = None
    backup_volume: str | None = None
    backup_postgres: str | None = None
    docker_url: str = "unix:///var/run/docker.sock"
    docker_cert_path: str | None = None
    docker_network: str = "bridge"
    docker_conn_id: str | None = None
    kubernetes_namespace: str | None = None
    kubernetes_secret: str = "sales-tasks-connections"
    kubernetes_service_account: str | None = None
    kubernetes_conn_id: str | None = None
    kubernetes_image_pull_secret: str | None = None
    connection_ids: Mapping[str, str] = field(default_factory=lambda: {"postgres": DEFAULT_POSTGRES})
    passed_on: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Reads the environment; blank counts as unset. Raises ValueError with every fault, each with name, value and what is allowed."""
        faults: list[str] = []

        def text(name: str) -> str | None:
            return environ.get(name, "").strip() or None

        def number(name: str, fallback: int, low: int, high: int) -> int:
            value = text(name)
            if value is None:
                return fallback
            if re.fullmatch(r"[0-9]{1,9}", value) and low <= int(value) <= high:
                return int(value)
            faults.append(f"{name}: '{value}' is not allowed; allowed: a whole number from {low} to {high}")
            return fallback

        runtime = text("SALES_RUNTIME") or cls.runtime
        if runtime not in ("docker", "kubernetes"):
            faults.append(f"SALES_RUNTIME: '{runtime}' is not allowed; allowed: docker, kubernetes")
        image = text("SALES_IMAGE") or cls.image
        if not is_pinned(image):
            faults.append(f"SALES_IMAGE: '{image}' is not allowed; allowed: an image with a tag other than latest, or with a digest")
        settings = cls(
            runtime=runtime,
            image=image,
            instance=text("SALES_INSTANCE") or cls.instance,
            shards=number("SALES_SHARDS", cls.shards, 1, 1024),
            memory_mb=number("SALES_MEMORY_MB", cls.memory_mb, 128, 1024 * 1024),
            leads_volume=text("SALES_LEADS_VOLUME"),
            backup_volume=text("SALES_BACKUP_VOLUME"),
            backup_postgres=text("SALES_BACKUP_POSTGRES_CONN_ID"),
            docker_url=text("SALES_DOCKER_URL") or text("DOCKER_HOST") or cls.docker_url,
            docker_cert_path=text("DOCKER_CERT_PATH"),
            docker_network=text("SALES_DOCKER_NETWORK") or cls.docker_network,
            docker_conn_id=text("SALES_DOCKER_CONN_ID"),
            kubernetes_namespace=text("SALES_KUBERNETES_NAMESPACE"),
            kubernetes_secret=text("SALES_KUBERNETES_SECRET") or cls.kubernetes_secret,
            kubernetes_service_account=text("SALES_KUBERNETES_SERVICE_ACCOUNT"),
            kubernetes_conn_id=text("SALES_KUBERNETES_CONN_ID"),
            kubernetes_image_pull_secret=text("SALES_KUBERNETES_IMAGE_PULL_SECRET"),
            connection_ids={
                "postgres": DEFAULT_POSTGRES,
                **{role: text(connection_id_variable(role)) for role in ROLES if text(connection_id_variable(role))},
            },
            passed_on={name: text(name) for name in PASSED_ON if text(name)},
        )
        if faults:
            raise ValueError("\n".join(faults))
        return settings

    def ids_of(self, roles: Iterable[str]) -> dict[str, str]:
        """Connection ids of a step by role: the database always, the others where this Airflow has one configured."""
        unknown = [role for role in roles if role not in ROLES]
        if unknown:
            raise ValueError(f"connections: {', '.join(map(repr, unknown))} not known; allowed: {', '.join(ROLES)}")
        wanted = dict.fromkeys(("postgres", *roles))
        return {role: self.connection_ids[role] for role in wanted if role in self.connection_ids}


def is_pinned(image: str) -> bool:
    """Whether a reference names one build: a digest, or a tag that is not ``latest``."""
    if "@sha256:" in image:
        return True
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag not in ("", "latest")


def connection_id_variable(role: str) -> str:
    return f"SALES_{role.upper()}_CONN_ID"


# ---- what a container is given ----


def arguments(command: str, options: Mapping[str, Any], shard: tuple[int, int] | None = None) -> list[str]:
    """The program's arguments: the command's words, then a flag an option (``max_leads`` is ``--max-leads``), always as one word."""
    words = command.split()
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        words.append(flag if value is True else f"{flag}={'false' if value is False else value}")
    if shard is not None:
        words.append(f"--shard={shard[0]}/{shard[1]}")
    return words


def step_environment(settings: Settings, ids: Mapping[str, str]) -> dict[str, str]:
    """What the UI may show: run identity, params and the ids of connections, none of it secret."""
    return {
        **RUN_ENVIRONMENT,
        **{connection_id_variable(role): connection_id for role, connection_id in ids.items()},
        **settings.passed_on,
    }


def connection_variable(connection_id: str) -> str:
    return "AIRFLOW_CONN_" + connection_id.upper()


def connection_json(connection: Any) -> str:
    """
    An Airflow connection as the JSON that the program reads.

    Not its URI: that form loses what it cannot express, and a percent-encoded password is no longer recognised by Airflow's masking.
    """
    fields = {
        "conn_type": connection.conn_type,
        "host": connection.host,
        "login": connection.login,
        "password": connection.password,
        "schema": connection.schema,
        "port": connection.port,
        "extra": connection.extra,
    }
    return json.dumps({name: value for name, value in fields.items() if value not in (None, "")})


def labels(instance: str, dag_id: str, task_id: str, run_id: str, map_index: int) -> dict[str, str]:
    """Say which work a container does, whichever try it is, so that the next try finds what a dead worker left behind."""
    return {
        "com.sales-tasks.instance": instance,
        "com.sales-tasks.dag_id": dag_id,
        "com.sales-tasks.task_id": task_id,
        "com.sales-tasks.run_id": run_id,
        "com.sales-tasks.map_index": str(map_index),
    }


def container_name(task_id: str, unique: str) -> str:
    """A name Docker takes ([a-zA-Z0-9][a-zA-Z0-9_.-]*), known before the container exists."""
    return f"sales-tasks-{re.sub('[^a-zA-Z0-9_.-]', '-', task_id)[:100]}-{unique}"


# ---- what a container gives back ----


class Outcome(Enum):
    DONE = "done"
    SKIP = "skip"
    RETRY = "retry"
    FAIL = "fail"


_MEANINGS = {
    64: "wrong usage, parameters or configuration; a retry cannot help",
    69: "a service refuses for good (credentials, missing or foreign schema); a retry cannot help",
    70: "a defect of the program; a retry cannot help, please report the log",
    75: "a temporary failure; a retry will help",
    99: "there was nothing to do",
    137: "killed",
    143: "asked to stop; the next try goes on",
}


def outcome(exit_code: int) -> Outcome:
    """What an exit code means to Airflow. Codes that are not the program's own come from its surroundings, so a retry may help."""
    if exit_code == 0:
        return Outcome.DONE
    if exit_code == 99:
        return Outcome.SKIP
    return Outcome.FAIL if exit_code in (64, 69, 70) else Outcome.RETRY


def ending(command: Sequence[str], exit_code: int, result: Mapping[str, Any] | None, out_of_memory: bool = False) -> str:
    """One line for a person: which command ended how and why."""
    meaning = "killed for want of memory: raise SALES_MEMORY_MB" if out_of_memory else _MEANINGS.get(exit_code, "not a code of the program")
    error = (result or {}).get("error")
    return f"{' '.join(command)} ended with {exit_code} ({meaning})" + (f": {error}" if error else "")


def parse_result(text: bytes | str) -> dict[str, Any]:
    """The program's result line. Raises ValueError where it is none."""
    result = json.loads(text)
    if not isinstance(result, dict) or not isinstance(result.get("counts"), dict):
        raise ValueError("the result is not a JSON object with counts")
    return result


def result_from_archive(chunks: Iterable[bytes]) -> dict[str, Any]:
    """The result out of the tar archive that Docker makes of the one file. Raises ValueError where there is none."""
    try:
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            for member in archive:
                if member.isfile():
                    return parse_result(archive.extractfile(member).read())  # type: ignore[union-attr]
    except tarfile.TarError as error:
        raise ValueError(f"the result's archive cannot be read: {error}") from error
    raise ValueError("the result's archive holds no file")


_LEVELS = {
    "Verbose": logging.DEBUG,
    "Debug": logging.DEBUG,
    "Information": logging.INFO,
    "Warning": logging.WARNING,
    "Error": logging.ERROR,
    "Fatal": logging.CRITICAL,
}


def read_log_line(line: str) -> tuple[int, str]:
    """A line of the program as level and text for people: its JSON events by their message, all else as it stands."""
    if line.startswith("{"):
        try:
            event = json.loads(line)
        except ValueError:
            return logging.INFO, line
        if isinstance(event, dict) and isinstance(event.get("@m"), str):
            text = event["@m"] + ("\n" + event["@x"] if isinstance(event.get("@x"), str) else "")
            return _LEVELS.get(event.get("@l", "Information"), logging.INFO), text
    return logging.INFO, line


class LineReader:
    """
    Turns chunks of a log stream into lines: Docker cuts anywhere, even within a character.

    Where a stream broke and is read again from its start, ``restart`` makes what was seen before be passed over.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._seen = 0
        self._position = 0

    def restart(self) -> None:
        self._position = 0

    def feed(self, chunk: bytes) -> Iterator[str]:
        fresh = chunk[max(0, self._seen - self._position) :]
        self._position += len(chunk)
        self._seen = max(self._seen, self._position)
        *lines, self._buffer = (self._buffer + fresh).split(b"\n")
        return (self._text(line) for line in lines if line.strip())

    def rest(self) -> Iterator[str]:
        line, self._buffer = self._buffer, b""
        return iter([self._text(line)] if line.strip() else [])

    @staticmethod
    def _text(line: bytes) -> str:
        return line.decode("utf-8", errors="replace").rstrip("\r")


# ---- what people see ----


def load_schema(folder: Path, dag_id: str) -> dict[str, Any]:
    """The generated parameter schema of a DAG: a small local file, the one thing read while DAGs are parsed."""
    return json.loads((folder / f"{dag_id}.json").read_text(encoding="utf-8"))


def param_arguments(schema: Mapping[str, Any], without: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Keyword arguments of an Airflow Param by name, in the order of the form."""
    left_out = set(without)
    return {name: dict(keywords) for name, keywords in schema["properties"].items() if name not in left_out}


def dag_doc(doc: str, params: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown for the DAG's page: what its file says, then the parameters with defaults."""

    def cell(value: Any) -> str:
        return str(value).replace("|", "\\|").replace("\n", " ")

    rows = "\n".join(f"| `{name}` | {cell(json.dumps(p.get('default')))} | {cell(p.get('description', ''))} |" for name, p in params.items())
    return f"{doc.strip()}\n\n### Parameters\n\n| name | default | |\n|---|---|---|\n{rows}\n"


def slack_text(dag_id: str, run_id: str, task_id: str | None, try_number: int | None, reason: str, link: str | None) -> str:
    """A message for a Slack webhook, escaped as Slack asks and within its 3,000 characters."""

    def escape(value: str) -> str:
        return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    what = f"*{escape(dag_id)}*" + (f" / *{escape(task_id)}*" if task_id else "")
    tries = f", try {try_number}" if try_number else ""
    text = f":red_circle: {what} failed ({escape(run_id)}{tries})\n{escape(reason)[:2000]}"
    return text + (f"\n<{link}|log>" if link else "")


def slack_url(host: str | None, password: str | None) -> str:
    """
    The address of an incoming webhook from a ``slackwebhook`` connection: the whole of it or the token in the password, as Airflow has it.

    Raises ValueError (without showing it) where there is none, or where it is not https.
    """
    token = (password or "").strip()
    url = token if "://" in token else f"{(host or 'https://hooks.slack.com/services').rstrip('/')}/{token.lstrip('/')}"
    if not token or not url.startswith("https://"):
        raise ValueError("the connection's password must hold a Slack webhook's token or its whole https address")
    return url
