"""A step as a Docker container, for Airflow beside a Docker engine."""

from __future__ import annotations

import struct
import uuid
from typing import TYPE_CHECKING, Any, Sequence

from airflow.exceptions import AirflowException
from airflow.hooks.base import BaseHook
from airflow.providers.docker.operators.docker import DockerOperator
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Mount
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from sales_tasks import contract
from sales_tasks.outcome import conclude

if TYPE_CHECKING:
    from airflow.utils.context import Context

# What a cut connection to the engine can look like while a log is read.
_STREAM_BROKE = (RequestException, HTTPError, OSError, struct.error)


class DockerStep(DockerOperator):
    """
    Runs one command of the program in one container, which is removed whatever happens.

    The container's life is kept here and not left to the base class, whose order of things (attach, wait, remove by force) would kill
    without grace on a time-out, know the exit code only as text, and leave the container behind when a worker dies.

    :param connection_ids: connections by role; their secrets reach the container and nothing else.
    """

    template_fields: Sequence[str] = ("image", "command", "environment")
    # A path given as an option may end in .env; it must not be taken for a template's file.
    template_ext: Sequence[str] = ()
    ui_color = "#dcefe3"

    def __init__(self, *, connection_ids: dict[str, str], instance: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection_ids = connection_ids
        self.instance = instance
        self._container_name: str | None = None

    def execute(self, context: Context) -> Any:
        ti = context["ti"]
        work = contract.labels(self.instance, ti.dag_id, ti.task_id, ti.run_id, ti.map_index)
        self._private_environment = self._connections()
        self._bring_image()
        self._remove_leftovers(work)
        # Chosen before the container exists: a signal that arrives while it is being created still finds it.
        self._container_name = contract.container_name(self.task_id, uuid.uuid4().hex[:12])
        try:
            self._create({**work, "com.sales-tasks.try_number": str(ti.try_number)})
            self.cli.start(self._container_name)
            state = self._follow()
            result = self._result()
        finally:
            self._discard(self._container_name)
        return conclude(self.command, state["ExitCode"], result, out_of_memory=state.get("OOMKilled", False))

    def on_kill(self) -> None:
        """Called on SIGTERM to the task and after an execution time-out."""
        if self._container_name is not None:
            self.log.info("Stopping %s", self._container_name)
            self._discard(self._container_name)

    def _connections(self) -> dict[str, str]:
        """
        Secrets by variable, looked up now and kept out of templates, logs and Airflow's database.

        An unknown id is left to fail as Airflow has it, and so to be retried: an outage of a secrets backend looks the same.
        """
        ids = dict.fromkeys(self.connection_ids.values())
        return {contract.connection_variable(i): contract.connection_json(BaseHook.get_connection(i)) for i in ids}

    def _bring_image(self) -> None:
        try:
            self.cli.inspect_image(self.image)
        except ImageNotFound:
            self.log.info("Pulling %s", self.image)
            # The pull's progress carries its failure, too.
            for progress in self.cli.pull(self.image, stream=True, decode=True):
                if "error" in progress:
                    raise AirflowException(f"{self.image} is not on the Docker engine and cannot be pulled: {progress['error']}") from None

    def _create(self, work: dict[str, str]) -> None:
        self.log.info("Starting %s from %s: %s", self._container_name, self.image, " ".join(self.command))
        self.container = self.cli.create_container(
            image=self.image,
            name=self._container_name,
            command=self.command,
            labels=work,
            environment={
                **self.environment,
                **self._private_environment,
                "SALES_RESULT_PATH": contract.RESULT_PATH,
            },
            host_config=self.cli.create_host_config(
                network_mode=self.network_mode,
                mem_limit=self.mem_limit,
                read_only=True,
                tmpfs={"/tmp": ""},
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                # An anonymous volume: a tmpfs would be gone, with the result in it, when the container has ended.
                mounts=[Mount(target=contract.RESULT_FOLDER, source=None, type="volume"), *self.mounts],
                # Whatever the engine's own driver is: this one can be read back.
                log_config=LogConfig(type=LogConfig.types.JSON),
            ),
        )

    def _follow(self) -> dict[str, Any]:
        """Copies the container's log into the task's until it has ended. Returns its final state."""
        reader = contract.LineReader()
        while True:
            reader.restart()
            try:
                for chunk in self.cli.logs(self._container_name, stdout=True, stderr=True, stream=True, follow=True):
                    self._relay(reader.feed(chunk))
            except _STREAM_BROKE as cut:
                # Proxies cut what is silent for long. The container is not concerned.
                self.log.info("The log stream was cut (%s); reading on", type(cut).__name__)
            state = self.cli.inspect_container(self._container_name)["State"]
            if not state["Running"]:
                self._relay(reader.rest())
                return state
            self._await_end()

    def _await_end(self) -> None:
        """The container's end, or a second: between a cut stream and the next one, and where the end of the log comes first."""
        try:
            self.cli.wait(self._container_name, timeout=1)
        except RequestException:
            pass  # Not ended yet. An engine that is gone is noticed by the next look at the state.

    def _relay(self, lines: Any) -> None:
        for line in lines:
            level, text = contract.read_log_line(line)
            self.log.log(level, "%s", text)

    def _result(self) -> dict[str, Any] | None:
        try:
            chunks, _ = self.cli.get_archive(self._container_name, contract.RESULT_PATH)
            return contract.result_from_archive(chunks)
        except NotFound:
            return None
        except ValueError as unreadable:
            self.log.warning("%s", unreadable)
            return None

    def _remove_leftovers(self, work: dict[str, str]) -> None:
        """A worker that died could not remove its container, which may even be at work: two must not do this run's work at once."""
        found = self.cli.containers(all=True, filters={"label": [f"{name}={value}" for name, value in work.items()]})
        for container in found:
            self.log.warning("Removing %s, which an earlier try left behind", container["Id"][:12])
            self._discard(container["Id"])

    def _discard(self, container: str) -> None:
        """Stops with grace and removes, with its anonymous volume; does nothing where that was done before."""
        try:
            self.cli.stop(container, timeout=contract.STOP_GRACE_SECONDS)
            self.cli.remove_container(container, v=True, force=True)
        except NotFound:
            pass
        except (DockerException, RequestException) as failure:
            if isinstance(failure, APIError) and failure.status_code == 409:
                return  # Being removed already.
            # The outcome of the work counts more than the tidiness of the engine.
            self.log.warning("%s could not be removed; the next try of this task will: %s", container, failure)
