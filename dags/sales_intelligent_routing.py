"""Assigns new leads and re-assigns stale ones over all representatives at once, as one optimisation (Airflow DAG).

Only active representatives who are present and below their capacity get leads; a lead is not passed on for ever, and not taken from who contacted it.
Whatever is not assigned has its reason. With `dry_run` the result is the plan.
"""

from sales_tasks.dag import MESSAGES_POOL, sales_dag, step

with sales_dag("sales_intelligent_routing", schedule="0 */3 * * *", doc=__doc__, tags=["routing"]) as dag:
    (
        step("routing assign", connections=["email", "slack", "calls", "tasks"], updates=["sales_pipeline", "sales_followup_tasks"])
        >> step("outbox dispatch", connections=["email", "slack", "calls", "tasks", "encryption"], pool=MESSAGES_POOL, updates=["outbox_messages"])
    )
