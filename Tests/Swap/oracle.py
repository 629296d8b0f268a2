"""What a job with the subject must have written, computed from its input alone.

Knows the arithmetic of plugins/subject.c, and nothing of Apus. Which version handled a record is
not foreseen: a line says it, and what it says must be possible.
"""

import collections
import json

from feed import STEP
from rig import Failure

DELAY, PUT_OFF = 2_000_000, 300_000
SCALE = {1: 1, 2: 10, 3: 100}


class Key:
    """The state of a key, as numbers."""

    def __init__(self):
        self.sequence = self.sum = self.last = 0
        self.log = []
        self.seen = collections.Counter()
        # By number: event time of the record that set it.
        self.timers = {}

    def handle(self, record):
        """A record; returns the line for it, without what depends on the version."""
        n = record["n"]
        self.sequence += 1
        before, self.last = self.last, n
        self.sum += n
        if self.sequence % 4 == 0:
            self.log.append(n)
        if self.sequence % 5 == 0:
            self.timers[self.sequence] = record["t"]
        self.seen[n % 8] += 1
        return {"n": n, "c": self.sequence, "s": self.sum, "p": before, "l": len(self.log),
                "t": sum(i * value for i, value in enumerate(self.log, 1)),
                "m": self.seen[n % 8]}


class Model:
    """All keys, and the lines of each in their order."""

    def __init__(self, path, without=()):
        """`without`: numbers of records that were rejected."""
        self.keys = collections.defaultdict(Key)
        self.lines = collections.defaultdict(list)
        self.count = 0
        self.dropped = set(without)
        for line in open(path, "rb"):
            record = json.loads(line)
            self.count += 1
            if record["n"] not in self.dropped:
                name = record["k"]
                self.lines[name].append(self.keys[name].handle(record))


    @classmethod
    def of_output(cls, model, output, path):
        """The model of so many records of each key as there are lines for."""
        part = cls.__new__(cls)
        part.keys, part.lines = collections.defaultdict(Key), collections.defaultdict(list)
        part.count, part.dropped = 0, model.dropped
        limits = {key: len(records) for key, records in output.records.items()}
        for line in open(path, "rb"):
            record = json.loads(line)
            name = record["k"]
            if record["n"] in part.dropped or len(part.lines[name]) >= limits.get(name, 0):
                continue
            part.count += 1
            part.lines[name].append(part.keys[name].handle(record))
        return part


def encoded(state, version, number):
    """How a version writes a number, as an export shows it."""
    if state == "sum":
        words = [number, ~number, number ^ 0x5555][:version]
        return b"".join(word.to_bytes(8, "little", signed=True) for word in words)
    text = {"last": ["{}", "n={}", "<{}>"], "log": ["{}", None, "i{}"],
            "seen": [None, "{}", "c={}"]}[state][version - 1]
    if text is None:
        return number.to_bytes(8, "little", signed=True)
    return text.format(number).encode()


def payload(version, number):
    return str(number) if version == 1 else f"c{version}:{number}"


class Output:
    """The lines of a job, compared with a model."""

    def __init__(self, lines, model, timer_versions=None):
        """`timer_versions`: the schema of the timer by code, when it is not that of the state."""
        self.model = model
        self.timer_versions = timer_versions or {}
        # By key: (code, line) of records and timers in the order in which they were written.
        self.written = collections.defaultdict(list)
        self.records = collections.defaultdict(list)
        self.fired = collections.defaultdict(dict)
        for text in lines:
            try:
                line = json.loads(text)
            except ValueError:
                raise Failure(f"a line that is none: {text[:120]!r}") from None
            self._take(line)

    def _take(self, line):
        key, code = line.pop("k"), line.pop("v")
        self.written[key].append(code)
        if "d" in line:
            number = line["d"]
            if number in self.fired[key]:
                raise Failure(f"timer {number} of {key} fired twice")
            self.fired[key][number] = (code, line)
        else:
            self.records[key].append((code, line))

    @property
    def codes(self):
        return {code for codes in self.written.values() for code in codes}

    def check(self, order, is_whole, state_codes=None):
        """`order`: the codes that may have written, in the order in which they took over."""
        if self.model.keys.keys() < self.written.keys():
            raise Failure("lines for keys that there are not")
        for key, lines in self.model.lines.items():
            self._check_records(key, lines, is_whole)
            self._check_extra(key)
            self._check_timers(key, is_whole)
            self._check_order(key, order)

    def _check_records(self, key, expected, is_whole):
        """The records of a key, each once, in their order, each with the state it must find."""
        found = [{name: value for name, value in line.items() if name != "x"}
                 for _, line in self.records[key]]
        for index, (want, have) in enumerate(zip(expected, found)):
            if want != have:
                raise Failure(f"{key}, line {index + 1}: expected {want}, found {have}; the one "
                              f"before was {found[index - 1] if index else None}")
        if len(found) > len(expected):
            raise Failure(f"{key}: {len(found) - len(expected)} lines too many")
        if is_whole and len(found) < len(expected):
            raise Failure(f"{key}: {len(expected) - len(found)} of {len(expected)} lines are "
                          "missing at the end")

    def _check_extra(self, key):
        """What a version brought with it counts from its first record on, without a gap."""
        extra = 0
        for code, line in self.records[key]:
            if code < 20 or code in self.timer_versions:
                extra = 0
            else:
                extra += 1
            if line["x"] != extra:
                raise Failure(f"{key}: the new state is {line['x']}, expected {extra}")

    def _check_timers(self, key, is_whole):
        armed = self.model.keys[key].timers
        for number, (code, line) in self.fired[key].items():
            version = self.timer_versions.get(code, code // 10)
            if number not in armed:
                raise Failure(f"timer {number} of {key} was never set")
            want = (armed[number] + DELAY + (version - 1) * PUT_OFF, payload(version, number))
            if (line["at"], line["payload"]) != want:
                raise Failure(f"timer {number} of {key}: expected {want} of version {code}, "
                              f"found {(line['at'], line['payload'])}")
        if is_whole and len(armed) != len(self.fired[key]):
            missing = sorted(set(armed) - set(self.fired[key]))
            raise Failure(f"timers {missing[:5]} of {key} have not fired, of {len(armed)}")

    def _check_order(self, key, order):
        at = 0
        for code in self.written[key]:
            while at < len(order) and order[at] != code:
                at += 1
            if at == len(order):
                raise Failure(f"{key}: versions wrote in the order {shortened(self.written[key])}, "
                              f"expected one that goes {order}")


def shortened(codes):
    result = []
    for code in codes:
        if not result or result[-1] != code:
            result.append(code)
    return result


def check_state(text, model, version, fired=None, timer_version=None, older=()):
    """An export, compared with a model.

    `fired`: by key, the timers that have fired; None: all of them.
    `older`: the schemas that keys may have that nobody has moved yet.
    """
    found = collections.defaultdict(dict)
    lists = collections.defaultdict(list)
    # By key: the schema of its state, and of its timers.
    versions = {}
    for line in text.splitlines()[1:-1]:
        entry = json.loads(line)
        key = entry["key"]
        is_moved = entry["operator"] == "subject"
        if not is_moved and not (older and entry["operator"].startswith("subject@")):
            raise Failure(f"state of something that is not there: {line[:160]}")
        if entry["kind"] == "timer":
            found[key]["timer", entry["id"]] = (
                entry["timeMicroseconds"], bytes_of(entry, "payload").decode())
            continue
        if entry["state"] == "extra":
            continue
        is_of = entry["schemaVersion"]
        if is_of != version if is_moved else is_of not in older:
            raise Failure(f"expected schema version {version}, found {line[:160]}")
        if versions.setdefault(key, (is_of, is_moved)) != (is_of, is_moved):
            raise Failure(f"{key} is in two places at once, or of two versions: {line[:160]}")
        if entry["kind"] == "counter":
            found[key][entry["state"]] = entry["number"]
        elif entry["kind"] == "list":
            lists[key].append(bytes_of(entry))
        elif entry["kind"] == "map":
            found[key]["seen", entry["mapKey"]] = bytes_of(entry)
        else:
            found[key][entry["state"]] = bytes_of(entry)
    for key, state in model.keys.items():
        is_of, is_moved = versions.get(key, (version, True))
        armed_of = timer_version if timer_version and is_moved else is_of
        want = expected_state(state, is_of)
        for number, at in state.timers.items():
            if fired is not None and number not in fired[key]:
                want["timer", number] = (
                    at + DELAY + (armed_of - 1) * PUT_OFF, payload(armed_of, number))
        have = found.pop(key, {})
        if have != want:
            differ = {name for name in want.keys() | have.keys()
                      if want.get(name) != have.get(name)}
            name = sorted(differ, key=str)[0]
            raise Failure(f"state of {key}: {name}: expected {want.get(name)!r}, found "
                          f"{have.get(name)!r}; {len(differ)} differ")
        log = [encoded("log", is_of, n) for n in state.log]
        if lists[key] != log:
            raise Failure(f"state of {key}: log: expected {len(log)} elements, found "
                          f"{len(lists[key])}, or others")
    if found:
        raise Failure(f"state of keys that there are not, as {next(iter(found))}")


def expected_state(state, version):
    text = "text" if version == 1 else "last"
    want = {"sequence": state.sequence * SCALE[version],
            "sum": encoded("sum", version, state.sum), text: encoded("last", version, state.last)}
    for name, count in state.seen.items():
        want["seen", f"m{name}"] = encoded("seen", version, count)
    return want


def bytes_of(entry, name="value"):
    if name in entry:
        return entry[name].encode()
    return bytes.fromhex(entry.get(name + "Hex", ""))
