"""Assigns what is unassigned, creates follow-up tasks, runs campaigns, sends, and advances stages (Airflow DAG).

Each lead in the pipeline gets the task that its stage asks for, one at a time; campaigns send what is due inside their windows; stages advance
from what happened, never backwards. Every message is first a row of the outbox and is sent once: never after a reply, an opt-out or
a closed deal. `sales-tasks outbox list` shows what waits and why.

Messages go out where a connection is configured: `SALES_EMAIL_CONN_ID`, `SALES_SLACK_CONN_ID`, `SALES_CALLS_CONN_ID`,
`SALES_TASKS_CONN_ID`.
"""

from sales_tasks.dag import MESSAGES_POOL, sales_dag, step

with sales_dag("sales_followup_automation", schedule="0 */2 * * *", doc=__doc__, tags=["follow-up", "campaigns"]) as dag:
    dispatch = step("outbox dispatch", connections=["email", "slack", "calls", "tasks", "encryption"], pool=MESSAGES_POOL, updates=["outbox_messages"])
    summarize = step("followup summarize", connections=["slack"])
    (
        step("routing assign", options={"only_unassigned": True}, connections=["email", "slack"], updates=["sales_pipeline"])
        >> step("followup create-tasks", sharded=True, connections=["calls", "tasks"], updates=["sales_followup_tasks"])
        >> step("campaigns enroll", updates=["sales_campaign_executions"])
        >> step(
            "campaigns advance",
            sharded=True,
            connections=["email", "slack", "calls", "tasks"],
            updates=["sales_campaign_executions", "sales_followup_tasks"],
        )
        >> dispatch
        # Deals move on by what happened, also where messages could not be sent.
        >> step("pipeline advance", sharded=True, updates=["sales_pipeline", "sales_stage_history"], trigger_rule="all_done")
        >> summarize
    )
    # A run whose messages could not be sent has failed, whatever came after.
    dispatch >> summarize
