"""Learns the best day, hour and interval to contact whom, and applies them (Airflow DAG).

Learned from contact attempts and the answers that followed, on each lead's own clock. One lead in twenty stays with plain windows at random: the lift
is measured against them, and where it is not positive everything goes back to plain windows. `sales-tasks timing show` tells what was learned.
"""

from sales_tasks.dag import sales_dag, step

with sales_dag("sales_timing_optimizer", schedule="0 0 * * 1", doc=__doc__, tags=["timing"]) as dag:
    step("timing analyze", updates=["timing_slots", "timing_lift"]) >> step(
        "timing apply", updates=["sales_pipeline", "sales_followup_tasks", "outbox_messages"]
    )
