"""Looks after the database every night (Airflow DAG).

Makes the partitions of the score history for the months to come, brings the planner's statistics and the daily metrics up to date, and removes what is
older than the retention that is set. By default nothing is removed. What others hold locked is left for the next night, so that no job waits for it.

Where encryption is on, phones and notes that other tools wrote in clear are encrypted.
"""

from sales_tasks.dag import sales_dag, step

with sales_dag("sales_maintenance", schedule="30 2 * * *", doc=__doc__, tags=["maintenance"]) as dag:
    # Phones and notes that came in since, in a database where encryption was turned on by hand.
    step("db maintain") >> step("privacy encrypt", options={"only_when_on": True}, connections=["encryption"], updates=["leads", "sales_pipeline"])
