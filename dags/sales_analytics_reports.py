"""Builds the weekly or monthly report and brings it to people: a page with charts, CSV and JSON (Airflow DAG).

The report is about the last complete week or month, read in one snapshot, and kept in the database. Where it goes is up to the parameters:
a folder (under `/leads`, where the volume `SALES_LEADS_VOLUME` is mounted), S3-compatible storage, e-mail, Slack. Running it again sends nothing
twice; changed data make a new version.
"""

from sales_tasks.dag import MESSAGES_POOL, sales_dag, step

with sales_dag("sales_analytics_reports", schedule="0 9 * * 1", doc=__doc__, tags=["reports"]) as dag:
    (
        step("reports build", files=True, updates=["reports", "report_forecasts"])
        >> step("reports deliver", connections=["email", "slack", "s3"], files=True, updates=["outbox_messages"])
        >> step("outbox dispatch", connections=["email", "slack", "calls", "tasks", "encryption"], pool=MESSAGES_POOL, updates=["outbox_messages"])
    )
