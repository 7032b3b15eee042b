"""Prints as JSON what the DAG files say, read with ``ast`` and never run: no Airflow is needed, and nothing in them can hide.

A DAG file may hold its docstring, imports from the shared module, and one ``with sales_dag(…)`` around one chain of steps with literal
arguments, and further chains of steps that were given a name before. Everything else is reported as a problem, as is work at import time in the shared module.
"""

import ast
import json
import sys
from pathlib import Path

# Calls that may run while Airflow parses DAG files: they make objects and touch nothing.
HARMLESS = {"Path", "Path.resolve", "logging.getLogger", "dataclass", "field", "dict", "frozenset", "_accepts", "TypeVar"}

# Functions that run at every parse, through the DAG files.
AT_PARSE = {"sales_dag", "step", "_docker", "_kubernetes"}
LOOKUPS = {"get_connection", "get_variable", "urlopen", "open", "Variable", "get", "connect", "request", "create_session"}


def name_of(node):
    """``a.b.c`` for a name, an attribute or a call on one."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return name_of(node.func)
    return ""


def constants_of(tree):
    """Module-level ``NAME = "text"``."""
    return {
        target.id: statement.value.value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def literal(node, constants, problems):
    if isinstance(node, ast.Name) and (node.id in constants or node.id == "__doc__"):
        return constants.get(node.id, "__doc__")
    if isinstance(node, ast.Call) and name_of(node) == "timedelta":
        return {keyword.arg: literal(keyword.value, constants, problems) for keyword in node.keywords}
    try:
        return ast.literal_eval(node)
    except ValueError:
        problems.append(f"line {node.lineno}: not a literal")
        return None


def call(node, constants, problems):
    return (
        [literal(argument, constants, problems) for argument in node.args],
        {keyword.arg or "**": literal(keyword.value, constants, problems) for keyword in node.keywords},
    )


def chain(node, named, problems):
    """The calls of ``step(…) >> step(…) >> …`` in the order they run; a name stands for the step it was given to."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift):
        return chain(node.left, named, problems) + chain(node.right, named, problems)
    if isinstance(node, ast.Call) and name_of(node) == "step":
        return [node]
    if isinstance(node, ast.Name) and node.id in named:
        return [named[node.id]]
    problems.append(f"line {node.lineno}: only steps joined by >> are allowed here")
    return []


def steps_of(with_statement, problems):
    """All steps of a DAG in the order of its first chain; what follows that may only join them once more, in the same order."""
    named, chains = {}, []
    for statement in with_statement.body:
        if (
            isinstance(statement, ast.Assign) and not chains and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)
            and isinstance(statement.value, ast.Call) and name_of(statement.value) == "step"
        ):
            named[statement.targets[0].id] = statement.value
        elif isinstance(statement, ast.Expr):
            chains.append(chain(statement.value, named, problems))
        else:
            problems.append(f"line {statement.lineno}: only named steps and chains of steps are allowed in a DAG")
    steps = chains[0] if chains else []
    if any(node not in steps for node in named.values()) or any([n for n in steps if n in more] != more for more in chains[1:]):
        problems.append(f"line {with_statement.lineno}: the first chain must hold every step, in order")
    return steps


def read_dag(path, constants):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 7))
    problems = []
    dag = {"file": path.stem, "doc": ast.get_docstring(tree) or "", "steps": [], "problems": problems}
    # Airflow looks only into files that hold both words.
    dag["discoverable"] = "dag" in text.lower() and "airflow" in text.lower()
    body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    for statement in body:
        if isinstance(statement, ast.ImportFrom) and statement.module in ("sales_tasks.dag", "datetime"):
            continue
        if isinstance(statement, ast.With) and len(statement.items) == 1 and name_of(statement.items[0].context_expr) == "sales_dag":
            if "id" in dag:
                problems.append(f"line {statement.lineno}: a second DAG")
            positional, dag["options"] = call(statement.items[0].context_expr, constants, problems)
            dag["id"] = positional[0] if len(positional) == 1 else None
            for node in steps_of(statement, problems):
                positional, options = call(node, constants, problems)
                dag["steps"].append({"command": positional[0] if len(positional) == 1 else None, **options})
            continue
        problems.append(f"line {statement.lineno}: {type(statement).__name__} is not allowed in a DAG file")
    return dag


def work_at_import(path):
    """Calls in a shared module that run when it is imported, and look-ups in what runs at every parse."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))
    problems = []

    def visit(node):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for decorator in getattr(node, "decorator_list", []):
                visit(decorator)
            return
        if isinstance(node, ast.Call) and name_of(node) not in HARMLESS:
            problems.append(f"{path.name} line {node.lineno}: {name_of(node)}() runs at import")
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in AT_PARSE:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and name_of(node).split(".")[-1] in LOOKUPS:
                    problems.append(f"{path.name} line {node.lineno}: {name_of(node)}() runs at every parse")
    return problems


def main(folder):
    shared = sorted((folder / "sales_tasks").glob("*.py"))
    constants = {}
    for path in shared:
        constants.update(constants_of(ast.parse(path.read_text(encoding="utf-8"))))
    return {
        "dags": [read_dag(path, constants) for path in sorted(folder.glob("*.py"))],
        "shared_problems": [problem for path in shared for problem in work_at_import(path)],
        "shared_files": [path.name for path in shared],
    }


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1])), sys.stdout, indent=1)
