"""Predicts open deals: win probability, expected value, time to close, risk and what to do next (Airflow DAG).

Only deals whose facts or model changed are predicted anew. Without a published model the rates by stage and source answer, and each prediction says
so. With a connection `sales_ml` an external model is asked instead.
"""

from sales_tasks.dag import MESSAGES_POOL, MODEL_POOL, sales_dag, step

with sales_dag("sales_ml_predictions", schedule="0 */6 * * *", doc=__doc__, tags=["predictions"]) as dag:
    (
        step("ml predict", connections=["ml"], pool=MODEL_POOL, sharded=True, updates=["sales_pipeline", "deal_predictions"])
        >> step("outbox dispatch", connections=["email", "slack", "calls", "tasks", "encryption"], pool=MESSAGES_POOL, updates=["outbox_messages"])
    )
