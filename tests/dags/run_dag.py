"""Runs one DAG with the Airflow that is installed, without a scheduler, and prints what each task gave back as one line of JSON.

    run_dag.py DAG_ID CONF    with AIRFLOW_HOME an empty folder of its own
"""

import json
import sys

from airflow.models import DagBag, DagRun, XCom
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.utils.db import initdb
from airflow.utils.session import create_session


def main(dag_id, conf):
    initdb()
    bag = DagBag(include_examples=False)
    if bag.import_errors:
        sys.exit(f"the DAGs cannot be imported: {bag.import_errors}")
    dag = bag.get_dag(dag_id)
    for task in dag.tasks:
        # Without a scheduler the wait for a retry would be a busy loop.
        task.retries = 0
    dag.test(run_conf=conf)
    tasks = {}
    with create_session() as session:
        run = session.query(DagRun).filter(DagRun.dag_id == dag_id).one()
        for task in dag.topological_sort():
            ti = run.get_task_instance(task.task_id, session=session)
            tasks[task.task_id] = {
                "state": ti.state,
                "result": XCom.get_one(dag_id=dag_id, task_id=task.task_id, run_id=run.run_id, key="return_value", session=session),
                "shown": RenderedTaskInstanceFields.get_templated_fields(ti, session=session),
            }
    print(json.dumps(tasks))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
