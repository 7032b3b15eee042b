"""Prints as JSON what the DAGs' shared module says to the program, for the tests that let the program read it.

With a result line of the program as argument, also the message that Airflow would show for it.
"""

import json
import sys
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "dags"))

from sales_tasks import contract  # noqa: E402

FIELDS = ("conn_type", "host", "login", "password", "schema", "port", "extra")
CONNECTIONS = [
    ("postgres", "db.example", "sales", "p@ss:w/rd%+\"\\'{}", "sales", 5432, '{"sslmode": "require"}'),
    ("postgres", "/var/run/postgresql", "ñandú", "密碼", "", None, None),
    ("http", "https://api.example/v1?a=b#c", None, "tok en", "https", 65535, '{"x": "é", "y": {"z": [1, null]}}'),
    ("slackwebhook", None, None, "https://hooks.slack.example/T/B/x", None, None, ""),
    ("smtp", "mail", None, None, None, 1025, "{}"),
]


def said():
    connections = [dict(zip(FIELDS, values)) for values in CONNECTIONS]
    return {
        "environment": contract.RUN_ENVIRONMENT,
        "connection_variables": [contract.connection_id_variable(role) for role in contract.ROLES],
        "default_postgres": contract.DEFAULT_POSTGRES,
        "connections": [{**fields, "json": contract.connection_json(types.SimpleNamespace(**fields))} for fields in connections],
        "outcomes": {str(code): contract.outcome(code).value for code in range(256)},
    }


if __name__ == "__main__":
    document = said()
    if len(sys.argv) > 1:
        result = contract.parse_result(sys.argv[1])
        document["ending"] = contract.ending(result["task"].split(), result["exit_code"], result)
    json.dump(document, sys.stdout)
