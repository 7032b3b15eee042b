"""Imports leads or engagement events from files, a folder or S3 (Airflow DAG).

Runs by hand: `path` says what to import. Files of the volume `SALES_LEADS_VOLUME` are under `/leads`; `s3://bucket/prefix` needs the
connection that `SALES_S3_CONN_ID` names. Importing the same file again changes nothing; bad rows go to a reject file with line and
reason, and the rest goes in.

To import on a schedule, copy this file and give the DAG an id of its own with `schema="sales_lead_ingest"`, a `schedule`, and the step
`options={"path": "s3://bucket/new/"}`.
"""

from sales_tasks.dag import sales_dag, step

with sales_dag("sales_lead_ingest", schedule=None, doc=__doc__, tags=["leads"]) as dag:
    step("leads import", connections=["s3", "encryption"], files=True, updates=["leads", "lead_engagement_events"])
