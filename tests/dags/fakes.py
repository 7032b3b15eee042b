"""Small stand-ins for Airflow and the Docker client, used only where the real ones cannot be imported.

They keep to what the real ones do as far as our modules see it: what they are called with is kept, and what they refuse is refused.
"""

import functools
import io
import sys
import tarfile
import types


def importable(name):
    try:
        __import__(name)
    except Exception:  # noqa: BLE001 - a half-installed package must not stop the tests, whatever it raises
        return False
    return True


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    made.__path__ = []
    sys.modules[name] = made
    parent, _, child = name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], child, made)
    return made


# ---- Airflow ----


class AirflowException(Exception):
    pass


class AirflowFailException(AirflowException):
    pass


class AirflowSkipException(AirflowException):
    pass


class DAG:
    current = None

    def __init__(self, dag_id, **options):
        self.dag_id = dag_id
        self.options = options
        self.tasks = []

    def __enter__(self):
        DAG.current = self
        return self

    def __exit__(self, *_):
        DAG.current = None


class Log:
    def __init__(self):
        self.lines = []

    def log(self, level, text, *values):
        self.lines.append((level, text % values if values else text))

    def info(self, *arguments):
        self.log(20, *arguments)

    def warning(self, *arguments):
        self.log(30, *arguments)


class BaseOperator:
    template_fields = ()
    allowed = {"task_id", "pool", "outlets", "doc_md", "execution_timeout", "retries", "retry_delay", "trigger_rule"}

    def __init__(self, **options):
        unknown = set(options) - self.allowed
        if unknown:
            raise TypeError(f"unexpected arguments: {sorted(unknown)}")
        self.task_id = options["task_id"]
        self.options = options
        self.downstream = []
        self.log = Log()
        if DAG.current is not None:
            DAG.current.tasks.append(self)

    def __rshift__(self, other):
        self.downstream.append(other)
        return other

    @classmethod
    def partial(cls, **options):
        return Partial(cls, options)


class Partial:
    def __init__(self, operator, options):
        self.operator, self.options = operator, options

    def expand(self, **mapped):
        ((field, values),) = mapped.items()
        task = self.operator(**self.options, **{field: values[0]})
        task.mapped = {field: values}
        return task


class Param:
    def __init__(self, default=None, description=None, **schema):
        self.default, self.description, self.schema = default, description, schema


class Dataset:
    def __init__(self, uri):
        self.uri = uri


class BaseHook:
    connections = {}

    @classmethod
    def get_connection(cls, connection_id):
        if connection_id not in cls.connections:
            raise AirflowException(f"The conn_id `{connection_id}` isn't defined")
        return cls.connections[connection_id]


class DockerOperator(BaseOperator):
    known = {
        "image", "command", "environment", "docker_url", "docker_conn_id", "api_version", "network_mode", "mem_limit", "mount_tmp_dir",
        "mounts", "tls_ca_cert", "tls_client_cert", "tls_client_key",
    }

    def __init__(self, **options):
        own = {name: options.pop(name) for name in list(options) if name in self.known}
        super().__init__(**options)
        self.mounts = None
        self.__dict__.update(own)
        self.mounts = self.mounts or []
        self.cli = None


class DockerException(Exception):
    pass


class APIError(DockerException):
    def __init__(self, message, status_code=500):
        super().__init__(message)
        self.status_code = status_code


class NotFound(APIError):
    def __init__(self, message):
        super().__init__(message, 404)


class ImageNotFound(NotFound):
    pass


class RequestException(OSError):
    pass


class HTTPError(Exception):
    pass


class Mount(dict):
    def __init__(self, target, source, type="volume", **options):
        super().__init__(Target=target, Source=source, Type=type, **options)


class LogConfig(dict):
    class types:
        JSON = "json-file"

    def __init__(self, type=None, config=None):
        super().__init__(Type=type, Config=config or {})


@functools.lru_cache(maxsize=None)
def install():
    """Puts the stand-ins in, all or none: a mixture of real and made-up would test neither. Returns whether they are in."""
    if all(map(importable, ("airflow.providers.docker.operators.docker", "docker.errors"))):
        return False
    for name in [n for n in sys.modules if n.split(".")[0] in ("airflow", "docker", "requests", "urllib3")]:
        del sys.modules[name]
    module("airflow", DAG=DAG)
    module("airflow.datasets", Dataset=Dataset)
    module("airflow.exceptions", **{c.__name__: c for c in (AirflowException, AirflowFailException, AirflowSkipException)})
    module("airflow.hooks")
    module("airflow.hooks.base", BaseHook=BaseHook)
    module("airflow.models")
    module("airflow.models.param", Param=Param)
    module("airflow.providers")
    module("airflow.providers.docker")
    module("airflow.providers.docker.operators")
    module("airflow.providers.docker.operators.docker", DockerOperator=DockerOperator)
    module("docker")
    module("docker.errors", **{c.__name__: c for c in (DockerException, APIError, NotFound, ImageNotFound)})
    module("docker.types", Mount=Mount, LogConfig=LogConfig)
    module("requests")
    module("requests.exceptions", RequestException=RequestException)
    module("urllib3")
    module("urllib3.exceptions", HTTPError=HTTPError)
    return True


# ---- Kubernetes ----


class KubernetesPodOperator(BaseOperator):
    """Pods are the real class's business; here is what our subclass changes: the end of one."""

    def __init__(
        self, *, image, arguments, env_vars, do_xcom_push, get_logs, log_events_on_failure, reattach_on_restart, termination_grace_period,
        startup_timeout_seconds, labels, container_resources, security_context, container_security_context, volumes, volume_mounts,
        is_delete_operator_pod=True, namespace=None, service_account_name=None, kubernetes_conn_id=None, image_pull_secrets=None, **options
    ):
        given = {name: value for name, value in locals().items() if name not in ("self", "options", "__class__")}
        super().__init__(**options)
        self.__dict__.update(given)
        self.base_container_name = "base"

    def cleanup(self, pod, remote_pod):
        if getattr(getattr(remote_pod, "status", None), "phase", None) != "Succeeded":
            raise AirflowException(f"Pod returned a failure: {remote_pod}")


class _Models(types.ModuleType):
    """Any model of the Kubernetes client, as the keywords it was made of."""

    def __getattr__(self, name):
        if not name.startswith("V1"):
            raise AttributeError(name)
        return lambda **fields: types.SimpleNamespace(**{"value": None, "value_from": None, **fields})


@functools.lru_cache(maxsize=None)
def install_kubernetes():
    """As ``install``, for the Kubernetes provider."""
    if not install() and importable("airflow.providers.cncf.kubernetes.operators.pod"):
        return False
    for name in ("airflow.providers.cncf", "airflow.providers.cncf.kubernetes", "airflow.providers.cncf.kubernetes.operators"):
        module(name)
    module("airflow.providers.cncf.kubernetes.operators.pod", KubernetesPodOperator=KubernetesPodOperator)
    module("kubernetes")
    module("kubernetes.client")
    sys.modules["kubernetes.client"].models = sys.modules["kubernetes.client.models"] = _Models("kubernetes.client.models")
    return True


# ---- a Docker engine ----


class Engine:
    """The Docker client's calls that a step makes, with containers that live and end as real ones do."""

    def __init__(self, exit_code=0, log=(b"",), result=b'{"counts": {}}', has_image=True, errors=None):
        self.errors = errors or sys.modules["docker.errors"]
        self.exit_code, self.log_chunks, self.result, self.has_image = exit_code, list(log), result, has_image
        self.found, self.created, self.calls = {}, [], []
        self.cut_after = None
        self.on_logs = None
        self.oom = False

    # images
    def inspect_image(self, image):
        if not self.has_image:
            raise self.errors.ImageNotFound(image)
        return {"Id": image}

    def pull(self, image, stream, decode):
        return iter([{"status": "Pulling"}, {"error": "access denied"}])

    # containers
    def create_host_config(self, **options):
        return options

    def create_container(self, **options):
        self.created.append(options)
        self.found[options["name"]] = {"running": False, "labels": options["labels"], "ended": None}
        return {"Id": options["name"]}

    def container(self, name):
        if name not in self.found:
            raise self.errors.NotFound(f"No such container: {name}")
        return self.found[name]

    def start(self, name):
        self.calls.append(("start", name))
        self.container(name)["running"] = True

    def logs(self, name, stdout, stderr, stream, follow):
        container = self.container(name)
        if self.on_logs is not None:
            self.on_logs(self, name)
        for number, chunk in enumerate(self.log_chunks):
            if self.cut_after is not None and number == self.cut_after:
                self.cut_after = None
                raise sys.modules["requests.exceptions"].RequestException("cut")
            yield chunk
        if container["ended"] is None:
            container.update(running=False, ended=self.exit_code)

    def wait(self, name, timeout):
        self.calls.append(("wait", name))

    def inspect_container(self, name):
        container = self.container(name)
        return {"State": {"Running": container["running"], "ExitCode": container["ended"] or 0, "OOMKilled": self.oom}}

    def get_archive(self, name, path):
        self.container(name)
        if self.result is None:
            raise self.errors.NotFound(path)
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            member = tarfile.TarInfo("result.json")
            member.size = len(self.result)
            archive.addfile(member, io.BytesIO(self.result))
        data = tar.getvalue()
        return [data[:100], data[100:]], {"size": len(self.result)}

    def stop(self, name, timeout):
        container = self.container(name)
        self.calls.append(("stop", name, timeout))
        if container["running"]:
            container.update(running=False, ended=143)

    def remove_container(self, name, v, force):
        self.container(name)
        self.calls.append(("remove", name, v, force))
        del self.found[name]

    def containers(self, all, filters):
        wanted = dict(item.split("=", 1) for item in filters["label"])
        return [
            {"Id": name} for name, container in self.found.items() if wanted.items() <= container["labels"].items()
        ]
