#!/usr/bin/env python3
"""Computes exactly what the flights job must write, from the whole input at once.

    oracle.py INPUT RESULTS UNIDENTIFIED

INPUT is a .csv or .csv.gz file as made by fetch_year.py.  RESULTS gets one JSON object per line,
UNIDENTIFIED the rows without a tail number, byte for byte.  The order of lines carries no meaning:
compare sorted files.  How many lines of each kind there are is printed to standard error.

The event time of a row is its scheduled departure (year, month, day, hour, minute), read as UTC.
A value that is "NA" or empty is missing.  Rows with a tail number belong to that aircraft:

delay     For each row with an arr_delay: how many rows of the aircraft up to this one, in file
          order, have an arr_delay, and their sum.
knock-on  For each row with dep_delay > 15 whose aircraft's previous row in the file, whatever it
          holds, has arr_delay > 30.
grounded  For each row at event time e, if no row of the aircraft, before or after it in the file,
          has an event time in (e, e + 48 h].  The last row of an aircraft always counts: input
          that ends is a time that goes on.

Delays are whole minutes in every row of the data set.  Anything else (a fraction, a quoted field, a
missing column) stops the program: there is no right answer to compare with.

This file shares no code with the runtime or the plugin, and does not work as they do: it has no
clock, no watermark and no timers, only all rows of an aircraft in a list.
"""

import bisect
import gzip
import json
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple, Optional

LATE_ARRIVAL_MINUTES = 30
LATE_DEPARTURE_MINUTES = 15
GROUNDED_AFTER = timedelta(hours=48)


class Row(NamedTuple):
    event_time: datetime
    dep_delay: Optional[int]
    arr_delay: Optional[int]


class InputError(Exception):
    """The input is not what this oracle defines results for."""


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: oracle.py INPUT RESULTS UNIDENTIFIED")
    try:
        aircraft, unidentified = read_rows(sys.argv[1])
        counts = write_results(sys.argv[2], aircraft)
        with open(sys.argv[3], "wb") as file:
            file.writelines(line + b"\n" for line in unidentified)
    except (InputError, OSError, EOFError) as error:
        sys.exit(f"oracle.py: {error}")
    for kind in ("delay", "knock-on", "grounded"):
        print(f"{kind} {counts[kind]}", file=sys.stderr)
    print(f"unidentified {len(unidentified)}", file=sys.stderr)


def read_rows(path):
    """Returns the rows of each aircraft in file order, and the lines without a tail number."""
    aircraft = defaultdict(list)
    unidentified = []
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        columns = file.readline().decode("utf-8").rstrip("\n").split(",")
        for number, line in enumerate(file, start=2):
            line = line.removesuffix(b"\n")
            try:
                values = parse_line(columns, line)
                tailnum = present(values["tailnum"])
                if tailnum is None:
                    unidentified.append(line)
                else:
                    aircraft[tailnum].append(parse_row(values))
            except (ValueError, KeyError) as error:
                raise InputError(f"{path}:{number}: {error!r} in {line!r}") from error
    return aircraft, unidentified


def parse_line(columns, line):
    if b'"' in line or b"\r" in line:
        raise ValueError("quoted fields and carriage returns are not part of this format")
    values = line.decode("utf-8").split(",")
    if len(values) != len(columns):
        raise ValueError(f"expected {len(columns)} columns, found {len(values)}")
    return dict(zip(columns, values))


def parse_row(values):
    event_time = datetime(
        *(int(values[column]) for column in ("year", "month", "day", "hour", "minute"))
    )
    return Row(event_time, minutes(values["dep_delay"]), minutes(values["arr_delay"]))


def present(value):
    return None if value in ("", "NA") else value


def minutes(value):
    return None if present(value) is None else int(value)


def write_results(path, aircraft):
    counts = Counter()
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for tailnum, rows in aircraft.items():
            for result in [*delays_and_knock_ons(tailnum, rows), *groundings(tailnum, rows)]:
                counts[result["type"]] += 1
                file.write(json.dumps(result, separators=(",", ":")) + "\n")
    return counts


def delays_and_knock_ons(tailnum, rows):
    flights = 0
    total = 0
    previous_arr_delay = None
    for row in rows:
        if row.arr_delay is not None:
            flights += 1
            total += row.arr_delay
            yield {
                **head("delay", tailnum, row.event_time),
                "flights": flights,
                "total_arr_delay_minutes": total,
            }
        was_late = previous_arr_delay is not None and previous_arr_delay > LATE_ARRIVAL_MINUTES
        if was_late and row.dep_delay is not None and row.dep_delay > LATE_DEPARTURE_MINUTES:
            yield {
                **head("knock-on", tailnum, row.event_time),
                "previous_arr_delay_minutes": previous_arr_delay,
                "dep_delay_minutes": row.dep_delay,
            }
        previous_arr_delay = row.arr_delay


def groundings(tailnum, rows):
    times = sorted(row.event_time for row in rows)
    for time in times:
        later = bisect.bisect_right(times, time)
        if later == len(times) or times[later] - time > GROUNDED_AFTER:
            yield head("grounded", tailnum, time)


def head(kind, tailnum, event_time):
    return {
        "type": kind,
        "tailnum": tailnum,
        "event_time": event_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


if __name__ == "__main__":
    main()
