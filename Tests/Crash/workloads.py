"""Jobs whose whole output is known from a program that shares no code with Apus."""

import bisect
import collections
import json
import pathlib
import random
import shutil
import string
import subprocess
import threading

from compiler import shared_library
from process import Failure

# Of rules, and the last characters of keys that they are for.
KINDS = string.ascii_letters + string.digits
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Workload:
    """Input, the output that it must lead to, and a job file."""

    # Sink id -> file name.
    sinks = {}
    # What is put into `spec:` besides `checkpoint:`.
    settings = ""
    # Whether the input has no end.
    follow_is_endless = False
    # Whether records are rejected: the dead letters are compared then.
    rejects = False

    def __init__(self, apus, folder, seed):
        self.apus = apus
        self.folder = pathlib.Path(folder)
        self.seed = seed
        self._lock = threading.Lock()
        self._is_ready = False
        self.expected = {}
        self.references = {}

    def prepare(self):
        """Makes input and expected output, once."""
        with self._lock:
            if not self._is_ready:
                self.folder.mkdir(parents=True, exist_ok=True)
                self.make()
                self._is_ready = True

    def job_text(self, checkpoints, outputs, rejected, interval, extra=""):
        """The job file; `outputs` is by the sinks' ids."""
        raise NotImplementedError

    def make(self):
        raise NotImplementedError

    @staticmethod
    def comparable(lines):
        """The lines of an exported state, without what depends on the parallelism."""
        return lines

    @staticmethod
    def lines(path):
        return collections.Counter(pathlib.Path(path).read_bytes().splitlines())

    def spec(self, checkpoints, interval, extra):
        return (
            f"apiVersion: apus/v1\nkind: Job\nmetadata: {{ name: {self.job} }}\nspec:\n"
            f"  checkpoint: {{ dir: \"{checkpoints}\", interval: {interval}{extra} }}\n"
            f"{self.settings}")


class Tickets(Workload):
    """State of several kinds and many timers; an operator written in Swift."""

    job = "tickets"
    rejects = True
    sinks = {"actions": "actions.jsonl"}
    follow = False

    def __init__(self, apus, folder, seed, tickets=1200):
        super().__init__(apus, folder, seed)
        self.tickets = tickets
        self.input = self.folder / "events.jsonl"

    def make(self):
        expected = self.folder / "expected.jsonl"
        subprocess.run(
            [self.apus, "gen", "tickets", "--seed", str(self.seed), "--tickets",
             str(self.tickets), "--events", str(self.input), "--expected", str(expected)],
            check=True, capture_output=True)
        self.expected = {"actions": self.lines(expected)}

    def job_text(self, checkpoints, outputs, rejected, interval, extra="", source=None):
        follow = "        follow: true\n" if self.follow else ""
        return self.spec(checkpoints, interval, extra) + (
            f"  errors: {{ dead-letter-file: \"{rejected}\" }}\n"
            f"  sources:\n    - id: events\n      plugin: file\n      config:\n"
            f"        path: \"{source or self.input}\"\n        format: jsonl\n{follow}"
            f"      watermark: {{ field: ts, out-of-order: 2m }}\n"
            f"  operators:\n    - {{ id: sla, plugin: tickets, input: events, key: ticket_id }}\n"
            f"  sinks:\n    - id: actions\n      plugin: file\n      input: sla\n"
            f"      config: {{ path: \"{outputs['actions']}\" }}\n")


class Unaligned(Tickets):
    """Barriers overtake records: checkpoints hold records that are under way."""

    def spec(self, checkpoints, interval, extra):
        return super().spec(checkpoints, interval, ", alignment-timeout: 0s" + extra)


class SmallMemory(Tickets):
    """State that does not stay in memory."""

    settings = "  memory: { budget: 32MiB }\n"


class Followed(Tickets):
    """The input grows while the job runs."""

    follow = True
    follow_is_endless = True


class Flights(Workload):
    """Real data, compressed; an operator written in C; two sinks."""

    job = "flights"
    sinks = {"results": "results.jsonl", "unidentified": "unidentified.csv"}

    def make(self):
        sample = ROOT / "samples" / "flights"
        self.input = self.folder / "flights.csv.gz"
        shutil.copy(sample / "data" / "flights-2013-01.csv.gz", self.input)
        expected = {name: self.folder / f"expected-{name}" for name in self.sinks}
        subprocess.run(
            ["python3", str(sample / "oracle.py"), str(self.input),
             str(expected["results"]), str(expected["unidentified"])],
            check=True, capture_output=True)
        self.expected = {name: self.lines(path) for name, path in expected.items()}

    def job_text(self, checkpoints, outputs, rejected, interval, extra=""):
        return self.spec(checkpoints, interval, extra) + (
            f"  errors: {{ dead-letter-file: \"{rejected}\" }}\n"
            f"  sources:\n    - id: departures\n      plugin: file\n      config:\n"
            f"        path: \"{self.input}\"\n        format: csv\n        emit: line\n"
            f"        null-values: [NA, \"\"]\n"
            f"      watermark:\n        fields: [year, month, day, hour, minute]\n"
            f"        out-of-order: 24h\n"
            f"  operators:\n    - id: aircraft\n      plugin: aircraft\n      input: departures\n"
            f"      key: tailnum\n      config: {{ dep-delay-column: 5, arr-delay-column: 8 }}\n"
            f"  sinks:\n    - id: results\n      plugin: file\n      input: aircraft\n"
            f"      config: {{ path: \"{outputs['results']}\" }}\n"
            f"    - id: unidentified\n      plugin: file\n      input: aircraft.unidentified\n"
            f"      config: {{ path: \"{outputs['unidentified']}\" }}\n")


class Rules(Workload):
    """Broadcast state, and operator state that is split; operators of Tests/Plugins/Kinds.

    Numbers wait in timers until event time has come to them, take the factor of the newest rule
    of their kind by then, and wait once more, in the lists of an operator without keys.  A rule
    that is lost or comes twice makes wrong lines; an item that is lost or dealt out twice makes
    lines too few or too many.
    """

    job = "rules"
    rejects = True
    sinks = {"priced": "priced.txt"}

    def __init__(self, apus, folder, seed, numbers=9000):
        super().__init__(apus, folder, seed)
        self.numbers = numbers
        self.input = self.folder / "numbers.csv"
        self.rules = self.folder / "rules.csv"
        self.plugin = self.folder / "kinds.so"

    def make(self):
        shared_library(
            ROOT / "Tests" / "Plugins" / "Kinds" / "kinds.c", self.plugin, "-std=gnu11",
            "-fvisibility=hidden", "-I", str(ROOT / "sdk" / "c" / "include"))
        rng = random.Random(self.seed)
        # Versions by kind, the last character of a key: times, and the factors from then on.
        times, factors = collections.defaultdict(list), collections.defaultdict(list)
        with open(self.rules, "w") as file:
            file.write("name,ts,rule\n")
            for ts in sorted(rng.sample(range(1, self.numbers), self.numbers // 2)):
                name, factor = rng.choice(KINDS), rng.randrange(2, 100)
                if rng.random() < 0.05:
                    file.write(f"{name},{ts},bad\n")
                    continue
                times[name].append(ts)
                factors[name].append(factor)
                file.write(f"{name},{ts},x:{factor}\n")
        priced = []
        rows = [(ts + rng.randrange(50), ts) for ts in range(1, self.numbers + 1)]
        with open(self.input, "w") as file:
            file.write("key,ts,number\n")
            for _, ts in sorted(rows):
                key = f"k{rng.randrange(50)}{rng.choice(KINDS)}"
                number = rng.randrange(1000)
                if rng.random() < 0.01:
                    file.write(f"{key},{ts},bad\n")
                    continue
                file.write(f"{key},{ts},x:{number}\n")
                known = bisect.bisect_right(times[key[-1]], ts)
                factor = factors[key[-1]][known - 1] if known else 1
                priced.append(f"{key}:{number}:{factor}".encode())
        self.seen = len(priced)
        self.expected = {"priced": collections.Counter(priced)}

    def comparable(self, lines):
        """Which subtask has seen how many records depends on the parallelism; the sum does not."""
        result, seen = [], 0
        for line in lines:
            entry = json.loads(line)
            if entry.get("kind") != "operator":
                result.append(line)
            elif entry["state"] == "seen":
                seen += int.from_bytes(bytes.fromhex(entry["valueHex"]), "little")
            else:
                result.append(f"{entry['state']}: {entry['value']}".encode())
        if seen != self.seen:
            raise Failure(f"the operator state has seen {seen} records, expected {self.seen}")
        return result

    def job_text(self, checkpoints, outputs, rejected, interval, extra=""):
        def source(name, path):
            return (f"    - id: {name}\n      plugin: file\n      config: {{ path: \"{path}\", "
                    f"format: csv, emit: line }}\n"
                    f"      watermark: {{ field: ts, unit: us, out-of-order: 50us, "
                    f"idle-after: never }}\n")

        return self.spec(checkpoints, interval, extra) + (
            f"  errors: {{ dead-letter-file: \"{rejected}\" }}\n"
            f"  sources:\n{source('numbers', self.input)}{source('rules', self.rules)}"
            f"  operators:\n"
            f"    - {{ id: priced, plugin: \"{self.plugin}\", component: priced, input: numbers, "
            f"broadcast: [rules], key: key }}\n"
            f"    - {{ id: held, plugin: \"{self.plugin}\", component: plain, input: priced }}\n"
            f"  sinks:\n    - id: priced-file\n      plugin: file\n      input: held\n"
            f"      config: {{ path: \"{outputs['priced']}\" }}\n")


class Ends(Workload):
    """Source and sink of plugins: a folder of files as splits, and epochs that are committed.

    Between them an operator without keys keeps some lines for a while.  A split that goes on in
    the wrong place, or an epoch that is committed twice or not at all, makes lines too few or too
    many.
    """

    job = "ends"
    sinks = {"held": "held"}
    FILES = 7

    def __init__(self, apus, folder, seed, lines=20_000):
        super().__init__(apus, folder, seed)
        self.count = lines
        self.input = self.folder / "lines"
        self.plugin = self.folder / "kinds.so"

    def make(self):
        shared_library(
            ROOT / "Tests" / "Plugins" / "Kinds" / "kinds.c", self.plugin, "-std=gnu11",
            "-fvisibility=hidden", "-I", str(ROOT / "sdk" / "c" / "include"))
        rng = random.Random(self.seed)
        self.input.mkdir()
        expected = collections.Counter()
        for number in range(self.FILES):
            lines = [f"{number}:{index}:{'x' * rng.randrange(60)}"
                     for index in range(rng.randrange(self.count // 2, self.count))]
            (self.input / f"{number}.txt").write_text("\n".join(lines) + "\n")
            expected.update(line.encode() for line in lines)
        self.seen = sum(expected.values())
        self.expected = {"held": expected}

    def comparable(self, lines):
        """Which subtask has seen how many records depends on the parallelism; the sum does not."""
        entries = [json.loads(line) for line in lines]
        seen = sum(int.from_bytes(bytes.fromhex(entry["valueHex"]), "little")
                   for entry in entries if entry.get("state") == "seen")
        if seen != self.seen:
            raise Failure(f"the operator state has seen {seen} records, expected {self.seen}")
        return [b"rest: %d" % sum(entry.get("state") != "seen" for entry in entries)]

    def job_text(self, checkpoints, outputs, rejected, interval, extra=""):
        return self.spec(checkpoints, interval, extra) + (
            f"  errors: {{ dead-letter-file: \"{rejected}\" }}\n"
            f"  sources:\n    - id: lines\n      plugin: files\n      component: folder\n"
            f"      config: {{ path: \"{self.input}\", suffix: .txt }}\n"
            f"  operators:\n"
            f"    - {{ id: held, plugin: \"{self.plugin}\", component: plain, input: lines }}\n"
            f"  sinks:\n    - id: held-epochs\n      plugin: files\n      component: epochs\n"
            f"      input: held\n      config: {{ path: \"{outputs['held']}\" }}\n")


def sealed(path):
    """A document of a checkpoint folder without the line that holds its hash."""
    text = pathlib.Path(path).read_text()
    return json.loads(text[:text.rindex("xxh3-128")])
