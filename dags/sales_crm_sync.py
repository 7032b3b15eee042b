"""Keeps leads and deals in step with the CRM, both ways (Airflow DAG).

What changed here is written to the CRM, each record once, after a comparison with what changed there; then what changed there is taken over:
edits, new records, deletions and merges. Where both sides changed a field its rule decides, and `sales-tasks crm conflicts` shows what was
decided. A record that the CRM refuses is kept with the reason and holds nothing up: `sales-tasks crm status`.

The CRM is the connection named by `SALES_CRM_CONN_ID`. Begin with `dry_run`.
"""

from sales_tasks.dag import CRM_POOL, sales_dag, step

with sales_dag("sales_crm_sync", schedule="0 */4 * * *", doc=__doc__, tags=["crm"]) as dag:
    (
        step("crm push", connections=["crm", "encryption"], pool=CRM_POOL, updates=["leads", "sales_pipeline"])
        >> step("crm pull", connections=["crm", "encryption"], pool=CRM_POOL, updates=["leads", "sales_pipeline"])
    )
