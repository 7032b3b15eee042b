"""Plays a person at a terminal: waits for each text on the screen and types the answer to it.

wizard.py '{"program": [...], "environment": {...}, "dialogue": [["text to wait for", "what is typed"], ...]}'
prints {"exit_code": n, "screen": "..."}; fails where a text does not come within a minute.
"""

import json
import os
import pty
import select
import sys
import time


def main() -> None:
    play = json.loads(sys.argv[1])
    pid, terminal = pty.fork()
    if pid == 0:
        foreign = ("SALES_", "AIRFLOW", "OTEL_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        os.execve(play["program"][0], play["program"], {**environment, "TERM": "xterm", **play["environment"]})

    screen = ""
    for expected, answer in play["dialogue"]:
        seen = len(screen)
        deadline = time.monotonic() + 60
        while expected not in screen[seen:]:
            more = read(terminal, deadline)
            if more is None:
                raise SystemExit(f"waited in vain for {expected!r}; on the screen:\n{screen}")
            screen += more
        os.write(terminal, answer.encode())
    deadline = time.monotonic() + 60
    while (more := read(terminal, deadline)) is not None:
        screen += more
    _, status = os.waitpid(pid, 0)
    print(json.dumps({"exit_code": os.waitstatus_to_exitcode(status), "screen": screen}))


def read(terminal: int, deadline: float) -> "str | None":
    """What came; None at the end of the program or of patience."""
    ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
    if not ready:
        return None
    try:
        return os.read(terminal, 65_536).decode(errors="replace") or None
    except OSError:
        return None


main()
