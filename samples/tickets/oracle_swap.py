#!/usr/bin/env python3
"""What the ticket sample has to say when version 2 takes over from version 1 in mid-flight.

    oracle_swap.py EVENTS EXPECTED [CUT]

CUT is event time at the cut in microseconds, as the checkpoint of the cut has it (all subtasks of
the operator have the same: event time travels in front of the barrier to each of them). What was due
up to it, version 1 has done; timers that were armed then are re-planned, and from there on the rules
of version 2 hold. Without CUT version 1 does everything.

The rules are those of README.md. This shares no code with the plugins, the runtime or the generator
of the events, and works as none of them does: each ticket by itself, with its events in their order
and its deadlines in a plain dictionary.
"""

import datetime
import json
import sys

MINUTE = 60_000_000
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
# Rules at one instant act in this order.
ORDER = ["escalate", "page-lead", "nudge", "close", "assign-least-loaded"]
RULE = {"escalate": 1, "page-lead": 2, "nudge": 3, "close": 3, "assign-least-loaded": 5}
WAITS = {"escalate": 30, "page-lead": 60, "nudge": 24 * 60, "close": 72 * 60, "assign-least-loaded": 5}
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
    def __init__(self, name, cut, out):
        self.name, self.cut, self.out = name, cut, out
        self.exists = False
        self.status, self.waits, self.urgent, self.assigned = "open", None, False, False
        self.due = {}  # action -> (when, since)
        self.is_swapped = False

    def is_new(self, time):
        return self.cut is not None and time > self.cut

    def arm(self, action, since, time):
        minutes = WAITS[action]
        if action in ("escalate", "page-lead") and self.is_new(time):
            when = business(since, minutes)
        else:
            when = since + minutes * MINUTE
        self.due[action] = (when, since)

    def swap(self):
        """The cut: what is armed for later is planned anew."""
        if self.is_swapped:
            return
        self.is_swapped = True
        for action in ("escalate", "page-lead"):
            if action in self.due:
                since = self.due[action][1]
                self.due[action] = (business(since, WAITS[action]), since)

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
        if self.is_new(when):
            line["policy"] = "business-hours"
        self.out.append(json.dumps(line, separators=(",", ":")))
        if action == "close":
            self.finish("closed")

    def finish(self, status):
        self.status, self.waits = status, None
        self.due = {}

    def wait(self, party, time):
        self.waits = party
        for action in ("escalate", "page-lead", "nudge", "close"):
            self.due.pop(action, None)
        for action in ("escalate", "page-lead") if party == "agent" else ("nudge", "close"):
            self.arm(action, time, time)

    def open(self, time):
        self.status = "open"
        self.wait("agent", time)
        self.claim(time)

    def claim(self, time):
        self.due.pop("assign-least-loaded", None)
        if self.urgent and not self.assigned and self.status == "open":
            self.arm("assign-least-loaded", time, time)

    def apply(self, what, time):
        kind, detail = what
        if kind == "ticket.created":
            self.exists = True
            self.urgent = detail
            return self.open(time)
        if not self.exists:
            return None
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
        return None


def main():
    events, expected = sys.argv[1:3]
    cut = int(sys.argv[3]) if len(sys.argv) > 3 else None
    tickets = {}
    with open(events, "rb") as lines:
        for line in lines:
            event = event_of(line)
            if event:
                tickets.setdefault(event[0], []).append(event[1:])
    out = []
    for name, history in tickets.items():
        ticket = Ticket(name, cut, out)
        for time, _, what in sorted(history, key=lambda event: event[:2]):
            ticket.advance(time)
            ticket.apply(what, time)
        ticket.advance(None)
    with open(expected, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in out)


if __name__ == "__main__":
    main()
