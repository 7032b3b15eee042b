"""Finds situations that need a person, keeps their alerts up to date, and tells what is new (Airflow DAG).

High-value leads without follow-up, overdue tasks, stale and hot leads, a drop in conversion, overloaded reps, jobs, messages and models in trouble.
One alert a situation: it is told when it opens, when it grows more severe and after a snooze, and resolves by itself. News goes to Slack
(`SALES_SLACK_CONN_ID`) and to each rep by e-mail (`SALES_EMAIL_CONN_ID`). `sales-tasks alerts list` shows what is open; `ack`, `snooze` and
`resolve` say what people made of it.
"""

from sales_tasks.dag import MESSAGES_POOL, sales_dag, step

with sales_dag("sales_alerts_intelligent", schedule="0 */2 * * *", doc=__doc__, tags=["alerts"]) as dag:
    (
        step("alerts evaluate", connections=["email", "slack"], updates=["alerts"])
        >> step("outbox dispatch", connections=["email", "slack", "calls", "tasks", "encryption"], pool=MESSAGES_POOL, updates=["outbox_messages"])
    )
