#!/usr/bin/env python3
"""Appends the lines of a file to another one, evenly over some seconds, and then an event of the far
future, behind which everything is due.

    pace.py FROM TO SECONDS
"""

import sys
import time

STEP_SECONDS = 0.01
LAST = (b'{"type":"ticket.created","ticket_id":"T-END","seq":999999999,'
        b'"ts":"2027-01-01T00:00:00.000Z","customer":"C-0","priority":"normal","team":"none"}\n')


def main():
    source, target, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    with open(source, "rb") as file:
        lines = file.readlines()
    step = max(1, int(len(lines) * STEP_SECONDS / seconds))
    due = time.monotonic()
    with open(target, "ab", buffering=0) as file:
        for first in range(0, len(lines), step):
            file.write(b"".join(lines[first:first + step]))
            due += STEP_SECONDS
            time.sleep(max(0, due - time.monotonic()))
        file.write(LAST)


if __name__ == "__main__":
    main()
