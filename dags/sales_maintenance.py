"""Looks after the database every night, then backs it up (Airflow DAG).

Makes the partitions of the score history for the months to come, brings the planner's statistics and the daily metrics up to date, and removes what is
older than the retention that is set. By default nothing is removed. What others hold locked is left for the next night, so that no job waits for it.

Where encryption is on, phones and notes that other tools wrote in clear are encrypted: `db maintain` is given the keys, and without them does all the rest
and fails.

The backup goes to the folder `backup_folder`, where the volume `SALES_BACKUP_VOLUME` is mounted; the last of each day, week and month is kept as the
parameters say. `verify_backup` restores it into a scratch database and compares every table. Where jobs connect as the worker's
role, `SALES_BACKUP_POSTGRES_CONN_ID` names a connection of the owner, who may read every row.
"""

from datetime import timedelta

from sales_tasks.dag import sales_dag, step

with sales_dag("sales_maintenance", schedule="30 2 * * *", doc=__doc__, tags=["maintenance"]) as dag:
    maintain = step("db maintain", connections=["encryption"])
    maintain >> step("backup create", connections=["backup"], backups=True, execution_timeout=timedelta(hours=4))
