"""Learns win probability, deal value, time to close and risk from the team's own deals (Airflow DAG).

Of each kind a model is published only if it beats what predicts now on deals it was not trained on, credibly, and is calibrated; else the current one
stays and the result says why. Run it by hand after a large import of history.
"""

from datetime import timedelta

from sales_tasks.dag import MODEL_POOL, sales_dag, step

with sales_dag("sales_ml_training", schedule="0 3 * * 0", doc=__doc__, tags=["predictions"]) as dag:
    step("ml train", pool=MODEL_POOL, execution_timeout=timedelta(hours=4), updates=["ml_models"])
