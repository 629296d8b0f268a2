#!/usr/bin/env python3
"""What the ticket sample has to say when version 2 takes over from version 1 in mid-flight.

    oracle_swap.py EVENTS EXPECTED                     version 1 does everything
    oracle_swap.py EVENTS EXPECTED CUT                 version 2 takes over at this event time
    oracle_swap.py EVENTS EXPECTED --manifest FILE     ... at the cut that a checkpoint was
    oracle_swap.py EVENTS EXPECTED CUT --before BYTES  ... and so much of EVENTS was read before it

CUT is event time at the cut in microseconds, as the checkpoint of the cut has it; 0 for a job that
began with version 2. What was due up to it, version 1 has done; timers that were armed then are
re-planned, and from there on the rules of version 2 hold. FILE is what
`apus checkpoint show --json` prints of the checkpoint.

That event time is all it takes, because the sample applies events in event time: one that was read
before the cut and is newer than CUT still waits in the state, and version 2 applies it. Two things
must be so, and are checked where they can be:

- All subtasks of the operator were cut at one event time, or it would matter which ticket was
  whose. A cut at a barrier is so: event time travels in front of it to each of them. FILE has the
  event times of all subtasks. A cut at batch boundaries is so with one subtask alone.
- No event comes behind the cut that is not newer than CUT: it would be too late, and is in the data
  of `apus gen tickets` never. With --manifest, whose source says how much it had read, and with
  --before this is looked up in EVENTS.

The rules are those of README.md. This shares no code with the plugins, the runtime or the generator
of the events, and works as none of them does: each ticket by itself, with its events in their order
and its deadlines in a plain dictionary.
"""

import argparse
import base64
import datetime
import json
import sys

MINUTE = 60_000_000
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
# Rules at one instant act in this order.
ORDER = ["escalate", "page-lead", "nudge", "close", "assign-least-loaded"]
RULE = {"escalate": 1, "page-lead": 2, "nudge": 3, "close": 3, "assign-least-loaded": 5}
WAITS = {"escalate": 30, "page-lead": 60, "nudge": 24 * 60, "close": 72 * 60,
         "assign-least-loaded": 5}
# The same in business hours; what is missing has no business hours.
BUSINESS_WAITS = {"escalate": 30, "page-lead": 60, "nudge": 8 * 60, "close": 24 * 60}
PRIORITIES = ("low", "normal", "high", "urgent")


def microseconds(text):
    time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (time - EPOCH) // datetime.timedelta(microseconds=1)


def text(time):
    moment = EPOCH + datetime.timedelta(microseconds=time)
    fraction = f"{moment.microsecond:06d}"
    digits = fraction[:3] if fraction.endswith("000") else fraction
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{digits}Z"


def business(start, minutes):
    """When so many minutes have passed, Monday to Friday, 09:00 to 17:00 UTC, counted second by
    second of a calendar and not by arithmetic."""
    left = datetime.timedelta(minutes=minutes)
    moment = EPOCH + datetime.timedelta(microseconds=start)
    while True:
        opens = moment.replace(hour=9, minute=0, second=0, microsecond=0)
        closes = moment.replace(hour=17, minute=0, second=0, microsecond=0)
        if moment.weekday() < 5 and moment < closes:
            begin = max(moment, opens)
            if begin + left <= closes:
                return (begin + left - EPOCH) // datetime.timedelta(microseconds=1)
            left -= closes - begin
        moment = (moment + datetime.timedelta(days=1)).replace(
            hour=0, minute=0, second=0, microsecond=0)


def event_of(line):
    """Ticket, time, number and what happened; None for a line that is no event."""
    try:
        fields = json.loads(line)
        ticket, number, kind = fields["ticket_id"], fields["seq"], fields["type"]
        time = microseconds(fields["ts"])
        if kind == "ticket.created":
            fields["customer"], fields["team"]
        if kind in ("message.agent", "assigned"):
            fields["agent"]
        if kind in ("ticket.created", "priority.changed"):
            if fields["priority"] not in PRIORITIES:
                return None
            return ticket, time, number, (kind, fields["priority"] == "urgent")
        if kind == "status.changed":
            if fields["status"] not in ("open", "solved"):
                return None
            return ticket, time, number, (kind, fields["status"])
        if kind in ("message.customer", "message.agent", "assigned"):
            return ticket, time, number, (kind, None)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


class Ticket:
    def __init__(self, name, cut, out, planned):
        self.name, self.cut, self.out, self.planned = name, cut, out, planned
        self.exists = False
        self.status, self.waits, self.urgent, self.assigned = "open", None, False, False
        self.due = {}  # action -> (when, since)
        self.changes = 0  # that version 2 has made
        self.is_swapped = False

    def arm(self, action, since):
        if self.is_swapped and action in BUSINESS_WAITS:
            when = business(since, BUSINESS_WAITS[action])
        else:
            when = since + WAITS[action] * MINUTE
        self.due[action] = (when, since)

    def swap(self):
        """The cut: what is armed for later is planned anew, and is due at once when it would have
        been due before the cut; that is still before anything else happens to the ticket."""
        self.is_swapped = True
        for action, (before, since) in sorted(self.due.items()):
            if action in BUSINESS_WAITS:
                self.arm(action, since)
                after = self.due[action][0]
                self.planned.append((after != before, after <= self.cut))

    def advance(self, end):
        """All that is due before `end` (None: for ever)."""
        while True:
            if self.cut is not None and not self.is_swapped:
                first = min((when for when, _ in self.due.values()), default=None)
                is_behind = first is None or first > self.cut
                if is_behind and (end is None or end > self.cut):
                    self.swap()
                    continue
            ready = [(when, ORDER.index(action), action) for action, (when, _) in self.due.items()
                     if end is None or when < end]
            if not ready:
                return
            when, _, action = min(ready)
            del self.due[action]
            self.act(action, when)

    def act(self, action, when):
        line = {"action": action, "rule": RULE[action], "ticket_id": self.name, "at": text(when)}
        if self.is_swapped:
            line["changes"] = self.changes
            line["policy"] = "business-hours"
        self.out.append(json.dumps(line, separators=(",", ":")))
        if action == "close":
            self.finish("closed")
            self.change()

    def change(self):
        """The ticket is written: version 2 counts that."""
        if self.is_swapped:
            self.changes += 1

    def finish(self, status):
        self.status, self.waits = status, None
        self.due = {}

    def wait(self, party, time):
        self.waits = party
        for action in ("escalate", "page-lead", "nudge", "close"):
            self.due.pop(action, None)
        for action in ("escalate", "page-lead") if party == "agent" else ("nudge", "close"):
            self.arm(action, time)

    def open(self, time):
        self.status = "open"
        self.wait("agent", time)
        self.claim(time)

    def claim(self, time):
        self.due.pop("assign-least-loaded", None)
        if self.urgent and not self.assigned and self.status == "open":
            self.arm("assign-least-loaded", time)

    def apply(self, what, time):
        kind, detail = what
        if kind == "ticket.created":
            self.exists = True
            self.urgent = detail
            self.open(time)
        elif self.exists:
            self.follow(kind, detail, time)
        if self.exists:
            self.change()

    def follow(self, kind, detail, time):
        if kind == "message.customer":
            if self.waits == "customer":
                self.wait("agent", time)
            elif self.waits is None:
                self.open(time)
        elif kind == "message.agent":
            if self.waits == "agent":
                self.wait("customer", time)
        elif kind == "assigned":
            self.assigned = True
            self.due.pop("assign-least-loaded", None)
        elif kind == "priority.changed":
            was, self.urgent = self.urgent, detail
            if not detail:
                self.due.pop("assign-least-loaded", None)
            elif not was:
                self.claim(time)
        elif detail == "solved":
            self.finish("solved")
        elif self.status != "open":
            self.open(time)


class Wrong(Exception):
    pass


def read_before(sources, manifest):
    """How many bytes the one file had given: bytes 5 to 12 of its position, the most
    significant first, as FilePosition.swift says."""
    files = [base64.b64decode(one["position"]) for one in sources if one.get("kind") == "file"]
    if len(files) != 1 or files[0][:2] != b"F\x01" or len(files[0]) < 13:
        raise Wrong(f"{manifest}: the job has not one source that reads a file, so that is not "
                    "known how much was read before the cut; give CUT and --before instead")
    return int.from_bytes(files[0][5:13], "big")


def cut_of(manifest, operator):
    """The event time at which a checkpoint cut the subtasks of an operator, and how many bytes of
    the events were read before it."""
    with open(manifest, encoding="utf-8") as file:
        shown = json.load(file)
    shown = shown.get("manifest", shown)
    operators = shown.get("operators", [])
    found = [one for one in operators if one["id"] == operator]
    if not found:
        raise Wrong(f"{manifest}: no operator '{operator}'; it has "
                    + ", ".join(one["id"] for one in operators))
    times = {one.get("watermarkMicroseconds") for one in found[0]["subtasks"]}
    if len(times) != 1:
        raise Wrong(f"{manifest}: the subtasks of '{operator}' were cut at different event times, "
                    f"{sorted(times, key=str)}; swap with --cut barrier, or with one subtask")
    # No event time yet is as if at the beginning.
    return times.pop() or 0, read_before(shown.get("sources", []), manifest)


def check_lateness(late, cut):
    if late:
        time, ticket = min(late)
        raise Wrong(f"{len(late)} events behind the cut are not newer than it, the first of ticket "
                    f"{ticket} at {text(time)}; the cut is at {text(cut)}: either is wrong")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", help="the file that the job reads")
    parser.add_argument("expected", help="where to write what it has to write")
    parser.add_argument("cut", type=int, nargs="?", help="event time at the cut, microseconds")
    parser.add_argument("--manifest", help="the checkpoint of the cut, as shown with --json")
    parser.add_argument("--operator", default="sla", help="its id in the job; sla unless stated")
    parser.add_argument("--before", type=int, help="bytes of EVENTS that were read before the cut")
    return parser.parse_args()


def main():
    try:
        run(parse())
    except (Wrong, OSError) as problem:
        sys.exit(f"oracle_swap: {problem}")


def run(wanted):
    cut, before = wanted.cut, wanted.before
    if wanted.manifest:
        cut, before = cut_of(wanted.manifest, wanted.operator)
    tickets, late, read = {}, [], 0
    with open(wanted.events, "rb") as lines:
        for line in lines:
            event = event_of(line)
            if event:
                tickets.setdefault(event[0], []).append(event[1:])
                is_behind = before is not None and read >= before
                if cut is not None and is_behind and event[1] <= cut:
                    late.append((event[1], event[0]))
            read += len(line)
    check_lateness(late, cut)
    out, planned = [], []
    for name, history in tickets.items():
        ticket = Ticket(name, cut, out, planned)
        for time, _, what in sorted(history, key=lambda event: event[:2]):
            ticket.advance(time)
            ticket.apply(what, time)
        ticket.advance(None)
    with open(wanted.expected, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in out)
    if cut is not None:
        print(f"cut at {text(cut)}: {len(planned)} armed timers planned anew, "
              f"{sum(moved for moved, _ in planned)} to another time, "
              f"{sum(passed for _, passed in planned)} to one that had passed; "
              f"{sum('policy' in line for line in out)} of {len(out)} actions are of version 2")


if __name__ == "__main__":
    main()
