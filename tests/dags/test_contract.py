"""The pure part of the DAGs' shared module, on whatever Python there is."""

import io
import json
import logging
import sys
import tarfile
import types
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "dags"))

from sales_tasks import contract  # noqa: E402


def connection(**fields):
    return types.SimpleNamespace(
        **{**dict.fromkeys(("conn_type", "host", "login", "password", "schema", "port", "extra")), **fields}
    )


class SettingsTests(unittest.TestCase):
    def test_read_nothing_set_defaults(self):
        settings = contract.Settings.read({"SALES_RUNTIME": " ", "SALES_SLACK_CONN_ID": ""})

        self.assertEqual(contract.Settings(), settings)
        self.assertEqual({"postgres": "sales_postgres"}, settings.connection_ids)

    def test_read_all_faults_reported_together_with_value_and_allowed(self):
        with self.assertRaises(ValueError) as raised:
            contract.Settings.read({"SALES_RUNTIME": "swarm", "SALES_SHARDS": "0", "SALES_IMAGE": "sales-tasks", "SALES_MEMORY_MB": "1g"})

        faults = str(raised.exception).splitlines()
        self.assertEqual(["SALES_RUNTIME", "SALES_IMAGE", "SALES_SHARDS", "SALES_MEMORY_MB"], [f.split(":")[0] for f in faults])
        self.assertIn("'swarm' is not allowed; allowed: docker, kubernetes", faults[0])
        self.assertIn("'0' is not allowed; allowed: a whole number from 1 to 1024", faults[2])

    def test_read_everything_set_is_taken(self):
        settings = contract.Settings.read({
            "SALES_RUNTIME": "kubernetes", "SALES_IMAGE": "r:5000/s@sha256:0a", "SALES_SHARDS": "8", "SALES_POSTGRES_CONN_ID": "pg",
            "SALES_EMAIL_CONN_ID": "mail", "DOCKER_HOST": "tcp://d:2375", "SALES_LOG_LEVEL": "Debug", "OTEL_EXPORTER_OTLP_HEADERS": "token",
        })

        self.assertEqual(("kubernetes", "r:5000/s@sha256:0a", 8, "tcp://d:2375"),
                         (settings.runtime, settings.image, settings.shards, settings.docker_url))
        self.assertEqual({"postgres": "pg", "email": "mail"}, settings.connection_ids)
        self.assertEqual({"SALES_LOG_LEVEL": "Debug"}, settings.passed_on)

    def test_docker_url_own_setting_wins_over_docker_host(self):
        settings = contract.Settings.read({"DOCKER_HOST": "tcp://a", "SALES_DOCKER_URL": "tcp://b"})

        self.assertEqual("tcp://b", settings.docker_url)

    def test_is_pinned(self):
        for image, pinned in [("a", False), ("a:latest", False), ("host:5000/a", False), ("host:5000/a:1.2", True), ("a:1", True),
                              ("a@sha256:00", True), ("a:latest@sha256:00", True), ("a:", False)]:
            with self.subTest(image):
                self.assertEqual(pinned, contract.is_pinned(image))

    def test_ids_of_unconfigured_role_is_left_out_and_unknown_refused(self):
        settings = contract.Settings.read({"SALES_EMAIL_CONN_ID": "mail"})

        self.assertEqual({"postgres": "sales_postgres", "email": "mail"}, settings.ids_of(["slack", "email"]))
        with self.assertRaisesRegex(ValueError, "'fax' not known; allowed: postgres, email"):
            settings.ids_of(["fax"])


class ContainerTests(unittest.TestCase):
    def test_arguments_each_option_is_one_word(self):
        words = contract.arguments(
            "routing assign", {"only_unassigned": True, "dry_run": False, "path": "-a b.env", "max_leads_per_run": 5}, (1, 4))

        self.assertEqual(
            ["routing", "assign", "--only-unassigned", "--dry-run=false", "--path=-a b.env", "--max-leads-per-run=5", "--shard=1/4"], words)

    def test_environment_shows_ids_and_no_secret(self):
        settings = contract.Settings.read({"SALES_EMAIL_CONN_ID": "mail", "SALES_LOG_LEVEL": "Debug"})
        environment = contract.step_environment(settings, settings.ids_of(["email"]))

        self.assertEqual(("sales_postgres", "mail", "Debug"), (
            environment["SALES_POSTGRES_CONN_ID"], environment["SALES_EMAIL_CONN_ID"], environment["SALES_LOG_LEVEL"]))
        self.assertEqual("{{ params | tojson }}", environment["SALES_PARAMS"])
        self.assertFalse([name for name in environment if name.startswith("AIRFLOW_CONN_")])

    def test_connection_json_keeps_every_character_and_leaves_out_what_is_not_there(self):
        text = contract.connection_json(connection(
            conn_type="postgres", host="/var/run/pg", login="ü", password="p@ss:w/rd%+ \"\\", schema="", port=5432, extra='{"a": "ñ"}'))

        self.assertEqual({"conn_type": "postgres", "host": "/var/run/pg", "login": "ü", "password": "p@ss:w/rd%+ \"\\", "port": 5432,
                          "extra": '{"a": "ñ"}'}, json.loads(text))
        self.assertTrue(text.isascii())

    def test_container_name_is_one_docker_takes(self):
        self.assertRegex(contract.container_name("group.step[é]/" + "x" * 250, "0123"), r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+-0123$")

    def test_labels_are_the_same_for_every_try(self):
        self.assertEqual(
            {"com.sales-tasks.instance": "a", "com.sales-tasks.dag_id": "d", "com.sales-tasks.task_id": "t", "com.sales-tasks.run_id": "r",
             "com.sales-tasks.map_index": "-1"}, contract.labels("a", "d", "t", "r", -1))


class OutcomeTests(unittest.TestCase):
    def test_outcome_of_every_code(self):
        expected = {0: "done", 99: "skip", 64: "fail", 69: "fail", 70: "fail", 75: "retry", 143: "retry", 137: "retry", 1: "retry", 127: "retry"}

        self.assertEqual(expected, {code: contract.outcome(code).value for code in expected})

    def test_ending_says_command_code_meaning_and_reason(self):
        self.assertEqual(
            "scoring score ended with 75 (a temporary failure; a retry will help): connection refused",
            contract.ending(["scoring", "score"], 75, {"error": "connection refused"}))
        self.assertEqual("a b ended with 1 (not a code of the program)", contract.ending(["a", "b"], 1, None))

    def test_ending_out_of_memory_says_what_to_raise(self):
        self.assertIn("raise SALES_MEMORY_MB", contract.ending(["a"], 137, None, out_of_memory=True))

    def test_parse_result_refuses_what_is_none(self):
        self.assertEqual({"counts": {"rows": 1}}, contract.parse_result(b'{"counts": {"rows": 1}}'))
        for text in ("", "[]", "{}", '{"counts": 1}', "not json", b"\xff"):
            with self.subTest(text), self.assertRaises(ValueError):
                contract.parse_result(text)

    def test_result_from_archive(self):
        def archive(*members):
            data = io.BytesIO()
            with tarfile.open(fileobj=data, mode="w") as tar:
                for name, content in members:
                    member = tarfile.TarInfo(name)
                    if content is None:
                        member.type = tarfile.DIRTYPE
                        tar.addfile(member)
                    else:
                        member.size = len(content)
                        tar.addfile(member, io.BytesIO(content))
            return data.getvalue()

        whole = archive(("result.json", b'{"counts": {}}'))
        self.assertEqual({"counts": {}}, contract.result_from_archive([whole[:700], whole[700:]]))
        for broken in ([], [b"not a tar"], [archive(("folder", None))], [archive(("result.json", b"{"))]):
            with self.subTest(broken), self.assertRaises(ValueError):
                contract.result_from_archive(broken)


class LogTests(unittest.TestCase):
    def test_read_log_line_events_by_their_message_and_level(self):
        cases = {
            '{"@t":"2026-01-01T00:00:00Z","@m":"scoring score started","command":"x"}': (logging.INFO, "scoring score started"),
            '{"@t":"t","@m":"careful","@l":"Warning"}': (logging.WARNING, "careful"),
            '{"@t":"t","@m":"broken","@l":"Error","@x":"at X()"}': (logging.ERROR, "broken\nat X()"),
            '{"@t":"t","@m":"fine print","@l":"Debug"}': (logging.DEBUG, "fine print"),
            '{"task":"scoring score"}': (logging.INFO, '{"task":"scoring score"}'),
            "{not json": (logging.INFO, "{not json"),
            "plain": (logging.INFO, "plain"),
        }

        self.assertEqual(cases, {line: contract.read_log_line(line) for line in cases})

    def test_line_reader_cut_anywhere_gives_the_same_lines(self):
        text = "eins\nzw€i\r\n\nthree".encode()
        for size in range(1, len(text) + 1):
            with self.subTest(size):
                reader = contract.LineReader()
                lines = [line for i in range(0, len(text), size) for line in reader.feed(text[i : i + size])]
                self.assertEqual(["eins", "zw€i", "three"], lines + list(reader.rest()))
                self.assertEqual([], list(reader.rest()))

    def test_line_reader_restarted_passes_over_what_it_saw(self):
        text = b"one\ntwo\nthree\n"
        for cut in range(len(text) + 1):
            for size in (1, 3, len(text)):
                with self.subTest((cut, size)):
                    reader = contract.LineReader()
                    lines = list(reader.feed(text[:cut]))
                    reader.restart()
                    lines += [line for i in range(0, len(text), size) for line in reader.feed(text[i : i + size])]
                    self.assertEqual(["one", "two", "three"], lines)


class PeopleTests(unittest.TestCase):
    def test_param_arguments_keep_order_and_leave_out(self):
        schema = {"properties": {"b": {"type": "integer", "default": 1}, "shard": {"default": None}, "a": {"type": "string", "default": "x"}}}

        self.assertEqual(["b", "a"], list(contract.param_arguments(schema, without=["shard"])))

    def test_dag_doc_has_a_table_that_pipes_do_not_break(self):
        doc = contract.dag_doc("What it does.\n", {"p": {"default": None, "description": "a|b"}})

        self.assertTrue(doc.startswith("What it does.\n\n### Parameters\n"))
        self.assertIn("| `p` | null | a\\|b |", doc)

    def test_slack_text_is_escaped_and_short(self):
        text = contract.slack_text("d", "r", "t", 3, "<a> & " + "x" * 9999, "https://airflow/log?x=1")

        self.assertIn("&lt;a&gt; &amp; x", text)
        self.assertLess(len(text), 3000)
        self.assertTrue(text.endswith("\n<https://airflow/log?x=1|log>"))

    def test_slack_url_from_token_or_whole_address(self):
        self.assertEqual("https://hooks.slack.com/services/T0/B0/x", contract.slack_url(None, "T0/B0/x"))
        self.assertEqual("https://hooks.slack.com/services/T0/B0/x", contract.slack_url(None, "https://hooks.slack.com/services/T0/B0/x"))
        self.assertEqual("https://slack.example/T0", contract.slack_url("https://slack.example/", "/T0"))
        for host, password in [(None, None), (None, " "), ("http://slack.example", "T0"), (None, "http://secret")]:
            with self.subTest((host, password)), self.assertRaises(ValueError) as raised:
                contract.slack_url(host, password)
            self.assertNotIn("secret", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
