"""What the DAG files of SalesTasks share: ``dag`` (DAGs and steps), ``contract`` (pure), and one module a runtime."""
