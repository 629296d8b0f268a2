"""Jobs whose whole output is known from a program that shares no code with Apus."""

import collections
import json
import pathlib
import shutil
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Workload:
    """Input, the output that it must lead to, and a job file."""

    # Sink id -> file name.
    sinks = {}
    # What is put into `spec:` besides `checkpoint:`.
    settings = ""
    # Whether the input has no end.
    follow_is_endless = False

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


def sealed(path):
    """A document of a checkpoint folder without the line that holds its hash."""
    text = pathlib.Path(path).read_text()
    return json.loads(text[:text.rindex("xxh3-128")])
