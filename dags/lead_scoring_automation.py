"""Scores the leads whose inputs changed, qualifies them into the pipeline, and sums up what moved (Airflow DAG).

A lead is scored again when something it is scored by changed, or when it got 7 or 30 days old. Leads with at least
`min_score_to_qualify` points enter `sales_pipeline` once; score and priority of rows already there follow.
`sales-tasks explain LEAD` shows every point of a score.

A run may be repeated or cut off at any time: the next try goes on where the last one stopped.
"""

from sales_tasks.dag import sales_dag, step

with sales_dag("lead_scoring_automation", schedule="0 */6 * * *", doc=__doc__, tags=["scoring"]) as dag:
    (
        step("scoring score", sharded=True, updates=["leads", "lead_score_history", "sales_pipeline"])
        >> step("scoring qualify", sharded=True, updates=["sales_pipeline"])
        >> step("scoring summarize", connections=["slack"])
    )
