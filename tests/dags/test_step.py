"""A step's container from its first to its last second, and the DAGs as Airflow gets them. Real Airflow where it is importable."""

import json
import os
import sys
import types
import unittest
from datetime import timedelta
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "dags"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import fakes  # noqa: E402

FAKED = fakes.install()

from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException  # noqa: E402
from docker import errors  # noqa: E402

from sales_tasks import docker_runtime  # noqa: E402
from sales_tasks.docker_runtime import DockerStep  # noqa: E402


def connection(**fields):
    return types.SimpleNamespace(
        **{**dict.fromkeys(("conn_type", "host", "login", "password", "schema", "port", "extra")), "conn_type": "postgres", **fields}
    )


CONTEXT = {"ti": types.SimpleNamespace(dag_id="d", task_id="t", run_id="r", map_index=-1, try_number=2)}
WORK = {
    "com.sales-tasks.instance": "test", "com.sales-tasks.dag_id": "d", "com.sales-tasks.task_id": "t", "com.sales-tasks.run_id": "r",
    "com.sales-tasks.map_index": "-1",
}


class StepTests(unittest.TestCase):
    def setUp(self):
        self.looked_up = []
        self.connections = {"sales_postgres": connection(host="db", password="secret"), "mail": connection(conn_type="smtp", host="mx")}

        def look_up(connection_id):
            self.looked_up.append(connection_id)
            if connection_id not in self.connections:
                raise AirflowException("not defined")
            return self.connections[connection_id]

        patch = mock.patch.object(docker_runtime.BaseHook, "get_connection", look_up)
        patch.start()
        self.addCleanup(patch.stop)

    def step(self, engine, ids=None):
        step = DockerStep(
            task_id="t", image="sales-tasks:0.1.0", command=["scoring", "score"], environment={"SALES_PARAMS": "{}"},
            connection_ids=ids or {"postgres": "sales_postgres"}, instance="test", network_mode="jobs", mem_limit="512m",
            docker_url="unix:///nowhere", mount_tmp_dir=False,
        )
        patch = mock.patch.object(DockerStep, "cli", engine, create=True)
        patch.start()
        self.addCleanup(patch.stop)
        if FAKED:
            step.cli = engine
        self.log = mock.Mock()
        patch = mock.patch.object(DockerStep, "log", self.log, create=True)
        patch.start()
        self.addCleanup(patch.stop)
        step.__dict__.pop("log", None)
        return step

    def logged(self):
        return [(call.args[0], call.args[2]) for call in self.log.log.call_args_list]

    def test_done_gives_the_result_and_removes_the_container_with_its_volume(self):
        engine = fakes.Engine(
            log=[b'{"@m":"started","@l":"Warn', b'ing"}\nplain'], result=b'{"counts": {"rows": 3}}', errors=errors)

        self.assertEqual({"counts": {"rows": 3}}, self.step(engine).execute(CONTEXT))
        self.assertEqual({}, engine.found)
        self.assertEqual(("remove", engine.created[0]["name"], True, True), engine.calls[-1])
        self.assertEqual([(30, "started"), (20, "plain")], self.logged())

    def test_container_is_hardened_labelled_and_given_secrets_privately(self):
        engine = fakes.Engine(errors=errors)
        step = self.step(engine, {"postgres": "sales_postgres", "email": "mail", "slack": "mail"})
        step.execute(CONTEXT)

        made = engine.created[0]
        self.assertEqual({**WORK, "com.sales-tasks.try_number": "2"}, made["labels"])
        host = made["host_config"]
        self.assertEqual((True, ["ALL"], ["no-new-privileges"], "jobs", "512m"), (
            host["read_only"], host["cap_drop"], host["security_opt"], host["network_mode"], host["mem_limit"]))
        self.assertEqual("/home/app/result.json", made["environment"]["SALES_RESULT_PATH"])
        self.assertEqual("/home/app", host["mounts"][0]["Target"])
        self.assertEqual("secret", json.loads(made["environment"]["AIRFLOW_CONN_SALES_POSTGRES"])["password"])
        self.assertEqual("smtp", json.loads(made["environment"]["AIRFLOW_CONN_MAIL"])["conn_type"])
        # What Airflow renders, stores and shows knows nothing of it.
        self.assertEqual({"SALES_PARAMS": "{}"}, step.environment)
        self.assertNotIn("secret", "".join(str(getattr(step, name)) for name in step.template_fields))
        self.assertNotIn("secret", str(self.log.mock_calls))

    def test_connections_are_looked_up_when_it_runs_and_not_before(self):
        step = self.step(fakes.Engine(errors=errors))
        self.assertEqual([], self.looked_up)
        step.execute(CONTEXT)
        self.assertEqual(["sales_postgres"], self.looked_up)

    def test_unknown_connection_starts_nothing_and_may_be_retried(self):
        engine = fakes.Engine(errors=errors)
        with self.assertRaises(AirflowException) as raised:
            self.step(engine, {"postgres": "gone"}).execute(CONTEXT)

        self.assertNotIsInstance(raised.exception, AirflowFailException)
        self.assertEqual([], engine.created)

    def test_exit_codes_become_airflows_exceptions_with_the_reason(self):
        for code, kind in [(64, AirflowFailException), (69, AirflowFailException), (70, AirflowFailException), (99, AirflowSkipException),
                           (75, AirflowException), (143, AirflowException), (1, AirflowException)]:
            with self.subTest(code):
                engine = fakes.Engine(exit_code=code, result=b'{"counts": {}, "error": "because"}', errors=errors)
                with self.assertRaisesRegex(kind, "because") as raised:
                    self.step(engine).execute(CONTEXT)
                self.assertIs(kind, type(raised.exception))
                self.assertEqual({}, engine.found)

    def test_killed_for_memory_says_so(self):
        engine = fakes.Engine(exit_code=137, result=None, errors=errors)
        engine.oom = True
        with self.assertRaisesRegex(AirflowException, "SALES_MEMORY_MB"):
            self.step(engine).execute(CONTEXT)

    def test_done_without_a_readable_result_is_no_success(self):
        for result in (None, b"", b"nonsense"):
            with self.subTest(result), self.assertRaisesRegex(AirflowException, "result could not be read"):
                self.step(fakes.Engine(result=result, errors=errors)).execute(CONTEXT)

    def test_cut_log_stream_is_read_on_without_a_line_twice_or_lost(self):
        engine = fakes.Engine(log=[b"one\n", b"two\nth", b"ree\n"], errors=errors)
        engine.cut_after = 2
        self.step(engine).execute(CONTEXT)

        self.assertEqual(["one", "two", "three"], [text for _, text in self.logged()])

    def test_stopped_by_airflow_stops_with_grace_and_leaves_no_container(self):
        class Killed(BaseException):
            """As a signal or an execution time-out reaches the task: anywhere, and not as an ordinary exception."""

        for by_signal in (True, False):
            with self.subTest(by_signal):
                engine = fakes.Engine(errors=errors)
                step = self.step(engine)

                def interrupt(_engine, _name, step=step, by_signal=by_signal):
                    if by_signal:
                        step.on_kill()
                    raise Killed

                engine.on_logs = interrupt
                with self.assertRaises(Killed):
                    step.execute(CONTEXT)
                # Airflow calls it after a time-out as well: nothing is left to do.
                step.on_kill()

                name = engine.created[0]["name"]
                self.assertEqual({}, engine.found)
                self.assertEqual([("start", name), ("stop", name, 10), ("remove", name, True, True)], engine.calls)

    def test_killed_while_the_container_is_being_created_finds_it(self):
        engine = fakes.Engine(errors=errors)
        step = self.step(engine)
        create = engine.create_container

        def interrupted(**options):
            create(**options)
            raise KeyboardInterrupt

        engine.create_container = interrupted
        with self.assertRaises(KeyboardInterrupt):
            step.execute(CONTEXT)
        self.assertEqual(1, len(engine.created))
        self.assertEqual({}, engine.found)

    def test_on_kill_before_anything_started_does_nothing(self):
        engine = fakes.Engine(errors=errors)
        self.step(engine).on_kill()
        self.assertEqual([], engine.calls)

    def test_leftover_of_a_dead_worker_is_stopped_first_and_others_are_left_alone(self):
        engine = fakes.Engine(errors=errors)
        engine.found = {
            "mine": {"running": True, "labels": {**WORK, "com.sales-tasks.try_number": "1"}, "ended": None},
            "other-run": {"running": True, "labels": {**WORK, "com.sales-tasks.run_id": "r2"}, "ended": None},
            "other-airflow": {"running": True, "labels": {**WORK, "com.sales-tasks.instance": "prod"}, "ended": None},
            "other-shard": {"running": True, "labels": {**WORK, "com.sales-tasks.map_index": "1"}, "ended": None},
        }
        self.step(engine).execute(CONTEXT)

        self.assertEqual([("stop", "mine", 10), ("remove", "mine", True, True)], engine.calls[:2])
        self.assertEqual(["other-run", "other-airflow", "other-shard"], list(engine.found))

    def test_failing_clean_up_does_not_hide_the_outcome(self):
        engine = fakes.Engine(errors=errors)

        def refuse(name, v, force):
            raise errors.APIError("engine is gone")

        engine.remove_container = refuse
        self.assertEqual({"counts": {}}, self.step(engine).execute(CONTEXT))
        self.assertIn("could not be removed", self.log.warning.call_args.args[0])

    def test_missing_image_that_cannot_be_pulled_says_which(self):
        engine = fakes.Engine(has_image=False, errors=errors)
        with self.assertRaisesRegex(AirflowException, "sales-tasks:0.1.0 is not on the Docker engine and cannot be pulled: access denied"):
            self.step(engine).execute(CONTEXT)
        self.assertEqual([], engine.created)

    def test_values_that_look_like_files_are_no_template_files(self):
        self.assertEqual((), tuple(DockerStep.template_ext))


class DagTests(unittest.TestCase):
    """What the DAG files make of the shared module, with the environments an Airflow process may have."""

    def load(self, **environ):
        dags = {}
        with mock.patch.dict(os.environ, environ):
            for path in sorted((ROOT / "dags").glob("*.py")):
                scope = {"__file__": str(path), "__name__": path.stem}
                exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), scope)  # noqa: S102 - our own files
                dags[path.stem] = scope["dag"]
        return dags

    def tasks(self, dag):
        return list(dag.tasks)

    def test_every_dag_never_overlaps_catches_up_or_waits_for_ever(self):
        for name, dag in self.load().items():
            with self.subTest(name):
                read = (lambda key, dag=dag: dag.options[key]) if FAKED else (lambda key, dag=dag: getattr(dag, key))
                self.assertEqual(name, dag.dag_id)
                self.assertIs(False, read("catchup"))
                self.assertEqual(1, read("max_active_runs"))
                self.assertGreater(read("dagrun_timeout"), timedelta())
                defaults = read("default_args")
                self.assertEqual((3, True), (defaults["retries"], defaults["retry_exponential_backoff"]))
                self.assertGreater(defaults["execution_timeout"], timedelta())
                self.assertTrue(callable(defaults["on_failure_callback"]))
                self.assertIn("### Parameters", read("doc_md"))

    def test_deals_move_on_where_messages_could_not_be_sent_and_the_run_fails_all_the_same(self):
        tasks = {task.task_id: task for task in self.tasks(self.load()["sales_followup_automation"])}
        advance, dispatch, summarize = (tasks[name] for name in ("pipeline_advance", "outbox_dispatch", "followup_summarize"))
        self.assertEqual("all_done", str(advance.options["trigger_rule"] if FAKED else advance.trigger_rule))
        after_dispatch = dispatch.downstream if FAKED else dispatch.downstream_list
        self.assertIn(summarize, after_dispatch)
        self.assertIn(advance, after_dispatch)

    def test_params_are_those_of_the_schema(self):
        for name, dag in self.load().items():
            with self.subTest(name):
                schema = json.loads((ROOT / "dags" / "schemas" / f"{name}.json").read_text(encoding="utf-8"))["properties"]
                params = dag.options["params"] if FAKED else {key: dag.params.get_param(key) for key in dag.params}
                self.assertEqual(list(schema), list(params))
                for key, keywords in schema.items():
                    given = dict(params[key].schema)
                    default = params[key].default if FAKED else params[key].value
                    self.assertEqual(keywords["default"], default)
                    self.assertEqual(keywords["description"], params[key].description)
                    expected = {k: v for k, v in keywords.items() if k not in ("default", "description")}
                    self.assertEqual(expected, {k: given[k] for k in expected})

    def test_steps_follow_each_other(self):
        dag = self.load()["lead_scoring_automation"]
        tasks = {task.task_id: task for task in self.tasks(dag)}
        after = {
            name: [t.task_id for t in task.downstream] if FAKED else sorted(task.downstream_task_ids) for name, task in tasks.items()
        }
        self.assertEqual(
            {"scoring_score": ["scoring_qualify"], "scoring_qualify": ["scoring_summarize"], "scoring_summarize": []}, after)

    def test_shards_map_the_steps_that_can_be_split_and_take_the_choice_from_the_form(self):
        dag = self.load(SALES_SHARDS="3")["lead_scoring_automation"]
        score, qualify, summarize = self.tasks(dag)
        commands = [task.mapped["command"] if FAKED else task.expand_input.value["command"] for task in (score, qualify)]

        self.assertEqual(
            [[["scoring", step, f"--shard={i}/3"] for i in range(3)] for step in ("score", "qualify")], [list(c) for c in commands])
        self.assertEqual(["scoring", "summarize"], summarize.command)
        self.assertNotIn("shard", dag.options["params"] if FAKED else dag.params)

    def test_files_are_mounted_where_a_step_reads_them(self):
        (step,) = self.tasks(self.load(SALES_LEADS_VOLUME="incoming")["sales_lead_ingest"])
        self.assertEqual([("/leads", "incoming", "volume")], [(m["Target"], m["Source"], m["Type"]) for m in step.mounts])
        (step,) = self.tasks(self.load(SALES_LEADS_VOLUME="/srv/leads")["sales_lead_ingest"])
        self.assertEqual("bind", step.mounts[0]["Type"])
        self.assertEqual([], self.tasks(self.load(SALES_LEADS_VOLUME="incoming")["lead_scoring_automation"])[0].mounts)

    def test_backups_have_a_volume_of_their_own(self):
        maintain, create = self.tasks(self.load(SALES_BACKUP_VOLUME="kept", SALES_LEADS_VOLUME="incoming")["sales_maintenance"])
        self.assertEqual([("/backups", "kept", "volume")], [(m["Target"], m["Source"], m["Type"]) for m in create.mounts])
        self.assertEqual([], maintain.mounts)

    def test_backups_are_made_as_the_owner_where_jobs_are_not(self):
        maintain, create = self.tasks(self.load(SALES_BACKUP_POSTGRES_CONN_ID="owner", SALES_ENCRYPTION_CONN_ID="keys")["sales_maintenance"])
        self.assertEqual({"postgres": "sales_postgres", "encryption": "keys"}, maintain.connection_ids)
        self.assertEqual({"postgres": "owner"}, create.connection_ids)
        self.assertEqual("owner", create.environment["SALES_POSTGRES_CONN_ID"])

    def test_wrong_environment_is_an_import_error_that_names_it(self):
        with self.assertRaisesRegex(ValueError, "SALES_RUNTIME: 'swarm'"):
            self.load(SALES_RUNTIME="swarm")


class NotificationTests(unittest.TestCase):
    def setUp(self):
        from sales_tasks import dag

        self.dag = dag
        self.sent = []
        self.answer = None

        def post(request, timeout):
            if self.answer is not None:
                raise self.answer
            self.sent.append((request.full_url, json.loads(request.data)["text"]))
            return mock.MagicMock()

        for target, name, value in [
            (dag.urllib.request, "urlopen", post),
            (dag.BaseHook, "get_connection", lambda _: connection(conn_type="slackwebhook", password="T0/B0/token")),
        ]:
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        ti = types.SimpleNamespace(dag_id="d", run_id="r", task_id="t", try_number=3, log_url="https://airflow/log")
        self.context = {"task_instance": ti, "exception": AirflowFailException("a < b")}

    def test_without_a_connection_nobody_is_told(self):
        with mock.patch.dict(os.environ, {"SALES_SLACK_CONN_ID": ""}):
            self.dag.notify_failed_task(self.context)
        self.assertEqual([], self.sent)

    def test_failed_task_is_told_with_reason_and_log(self):
        with mock.patch.dict(os.environ, {"SALES_SLACK_CONN_ID": "slack"}):
            self.dag.notify_failed_task(self.context)
        self.assertEqual("https://hooks.slack.com/services/T0/B0/token", self.sent[0][0])
        self.assertIn("*d* / *t* failed (r, try 3)\na &lt; b\n<https://airflow/log|log>", self.sent[0][1])

    def test_failed_run_is_told_only_where_no_task_told(self):
        run = types.SimpleNamespace(dag_id="d", run_id="r")
        with mock.patch.dict(os.environ, {"SALES_SLACK_CONN_ID": "slack"}):
            self.dag.notify_timed_out_run({"dag_run": run, "reason": "task_failure"})
            self.dag.notify_timed_out_run({"dag_run": run, "reason": "timed_out"})
        self.assertEqual(1, len(self.sent))

    def test_slack_that_does_not_answer_changes_nothing_and_leaks_no_address(self):
        self.answer = OSError("https://hooks.slack.com/services/T0/B0/token refused")
        with mock.patch.dict(os.environ, {"SALES_SLACK_CONN_ID": "slack"}), self.assertLogs("sales_tasks.dag", "WARNING") as logged:
            self.dag.notify_failed_task(self.context)
        self.assertIn("slack", logged.output[0])
        self.assertNotIn("token", logged.output[0])


if __name__ == "__main__":
    unittest.main()
