"""A job whose operator is swapped: its input, its runs, what is asked of it, what must hold."""

import contextlib
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Hostile"))

from feed import Feed
from oracle import Model, Output, check_state
from rig import ROOT, Failure, Rig, Skipped

PLUGINS = pathlib.Path(__file__).with_name("plugins")

# The versions of the subject, as options of the compiler.
VERSIONS = {
    "v1": ["-DV=1"],
    "v2": ["-DV=2"],
    "v3": ["-DV=3"],
    "v3-from-v2": ["-DV=3", "-DMIN_READABLE=2"],
    "v1-code": ["-DV=1", "-DCODE=11", "-DNUMBER=1"],
    "v1-code-2": ["-DV=1", "-DCODE=12", "-DNUMBER=2"],
    "v2-same": ["-DV=2", "-DBACK", "-DCODE=10", "-DNUMBER=3"],
    "v2-back": ["-DV=2", "-DBACK", "-DCODE=25"],
}


class SwapRig(Rig):
    """The program, and the versions of the subject."""

    def version(self, name):
        """The path of a version, or of a faulty second one: "v2+MIGRATE_FAILS"."""
        base, *faults = name.split("+")
        options = [*VERSIONS[base], *(f"-DFAULT_{fault}" for fault in faults)]
        if faults:
            options = [*options, "-DNUMBER=9"] if "-DNUMBER=1" not in options else options
        return self.subject(name, options, needs_cxx={"THROW", "RESIDENT"} & set(faults))

    def subject(self, name, options, needs_cxx=False, source="subject.c"):
        with self._lock:
            lock = self._built.setdefault(name, threading.Lock())
        folder = self.folder / "plugins" / re.sub(r"[^\w.-]", "-", name)
        with lock:
            path = folder / f"lib{folder.name}.so"
            if path.exists():
                return path
            folder.mkdir(parents=True, exist_ok=True)
            extra = []
            if needs_cxx:
                made = folder / "faults.o"
                self.call("clang++", "g++",
                          ["-c", "-std=c++17", PLUGINS / "faults.cpp", "-o", made])
                extra = [made, "-lstdc++"]
            self.call("clang", "gcc", [
                "-shared", "-std=gnu11", "-fexceptions", *options, PLUGINS / source,
                *extra, "-o", path, "-lpthread"])
            return path

    @staticmethod
    def call(first, second, arguments):
        compiler = shutil.which(first) or shutil.which(second)
        if compiler is None:
            raise Skipped(f"needs {first} or {second}")
        command = [compiler, "-O1", "-w", "-fPIC", "-fvisibility=hidden",
                   "-I", ROOT / "sdk" / "c" / "include", "-I", PLUGINS, *arguments]
        result = subprocess.run([str(part) for part in command], capture_output=True)
        if result.returncode:
            raise Failure(f"cannot compile: {result.stderr.decode()[-600:]}")


class Bench:
    """One job with one subject."""

    def __init__(self, rig, plugin="v1", interval="100ms", parallelism=2, config=None, spec="",
                 keys=499, first=4000, rate=1500, checkpoints=True, operator=""):
        self.operator, self.also = operator, None
        self.rig, self.parallelism, self.interval = rig, parallelism, interval
        self.folder = rig.new_folder()
        self.plugin = rig.version(plugin)
        self.config, self.spec = config or {}, spec
        self.input = self.folder / "input.jsonl"
        self.output = self.folder / "out.jsonl"
        self.checkpoints = self.folder / "checkpoints"
        self.control = self.folder / "control.sock"
        self.has_checkpoints = checkpoints
        self.feed = Feed(self.input, keys, first, rate)
        self.running = None
        self.write(follows=True)

    def write(self, follows, name="job.yaml"):
        """Writes the job file; `self.also` gives it one more operator, with a sink of its own."""
        checkpoint = f"  checkpoint: {{ dir: \"{self.checkpoints}\", interval: {self.interval} }}\n"
        checkpoint = checkpoint if self.has_checkpoints else ""
        also, out = self.also, self.folder / "also.jsonl"
        (self.folder / name).write_text(
            "apiVersion: apus/v1\nkind: Job\nmetadata: { name: swapped }\nspec:\n"
            f"{checkpoint}{self.spec}"
            f"  sources:\n    - id: records\n      plugin: file\n"
            f"      config: {{ path: \"{self.input}\", follow: {str(follows).lower()} }}\n"
            f"      watermark: {{ field: t, unit: us, idle-after: never }}\n"
            f"  operators:\n    - id: subject\n      plugin: \"{self.plugin}\"\n"
            f"      input: records\n      key: k\n      config: {json.dumps(self.config)}\n"
            f"{self.operator}"
            + (f"    - id: also\n      plugin: \"{also}\"\n      input: records\n      key: k\n"
               if also else "")
            + f"  sinks:\n    - id: out\n      plugin: file\n      input: subject\n"
            f"      config: {{ path: \"{self.output}\" }}\n"
            + (f"    - id: also-out\n      plugin: file\n      input: also\n"
               f"      config: {{ path: \"{out}\" }}\n" if also else ""))
        return self.folder / name

    # Running

    def start(self, *options, failpoint=None, feed=True):
        """Starts the job, and waits until it answers and has handled something."""
        more = {"APUS_FAILPOINT": failpoint} if failpoint else {}
        start = ["--from", "latest-or-new"] if self.has_checkpoints else []
        place = ["--control", self.control]
        self.running = self.rig.start(
            self.folder, "run", "job.yaml", "-p", self.parallelism, *start, *place, *options,
            **more)
        if feed and not self.feed._thread.is_alive():
            self.feed.start()
        return self

    def until(self, what, condition, limit=30):
        """Waits for something that happens outside."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            if self.running and self.running.child.poll() is not None:
                raise Failure(f"waiting until {what}, the job has ended with status "
                              f"{self.running.child.returncode}\n{self.tail()}")
            time.sleep(0.02)
        raise Failure(f"waited {limit} s in vain until {what}\n{self.tail()}")

    def is_running(self):
        return self.running.child.poll() is None

    def tail(self):
        return "\n".join("    " + line[:300] for line in self.running.said().splitlines()[-14:])

    def until_working(self):
        """Until there is output, and with it a checkpoint: something to lose."""
        if self.has_checkpoints:
            self.until("there is output", lambda: self.output.exists() and
                       self.output.stat().st_size > 0)
        else:
            self.until("it answers", lambda: self.handled() > 0)
        return self

    def ask(self, *arguments, limit=60):
        return self.rig.run(self.folder, *arguments, limit=limit)

    def where(self):
        return ["--control", self.control]

    def start_checkpoint(self, folder=None):
        """Asks for a checkpoint, and does not wait."""
        return self.rig.start(folder or self.folder, "checkpoint", "create", "--checkpoint",
                              self.checkpoints, *self.where())

    @contextlib.contextmanager
    def asking_for_checkpoints(self):
        """Has one checkpoint follow the other.

        Several ask, because a checkpoint takes less time than a command.
        """
        running, is_over = self.running, threading.Event()

        def ask(folder):
            folder.mkdir(exist_ok=True)
            while not is_over.is_set() and running.child.poll() is None:
                self.start_checkpoint(folder).wait()
        threads = [threading.Thread(target=ask, args=[self.folder / f"asking-{i}"], daemon=True)
                   for i in range(3)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            is_over.set()
            for thread in threads:
                thread.join()

    def was_in_checkpoint(self):
        """Whether the job that was killed had begun a checkpoint, and not completed it."""
        current = self.checkpoints / "CURRENT"
        if not current.exists():
            return False
        complete = json.JSONDecoder().raw_decode(current.read_text())[0]["number"]
        begun = [int(attempt.name) for attempt in (self.checkpoints / "attempts").iterdir()]
        return max(begun, default=0) > complete

    def asked(self, *arguments):
        result = self.ask(*arguments, "--json")
        if result.status != 0:
            raise Failure(f"{' '.join(map(str, arguments[:2]))}: {result.how}\n{result.tail}")
        return json.loads(result.output)

    def status(self):
        return self.asked("swap", "status", *self.where())

    def handled(self):
        result = self.ask("job", "status", *self.where(), "--json")
        if result.status != 0:
            return 0
        status = json.loads(result.output)
        return sum(node["recordsIn"] for node in status["nodes"] if node["id"] == "subject")

    def history(self):
        return self.asked("swap", "history", self.checkpoints)["swaps"]

    def history_or_none(self):
        result = self.ask("swap", "history", self.checkpoints, "--json")
        return json.loads(result.output)["swaps"] if result.status == 0 else []

    def swap(self, to, *options, operator="subject", limit=60):
        """`apus swap run`; returns what it said and how it ended."""
        path = self.rig.version(to) if isinstance(to, str) else to
        return self.ask("swap", "run", *self.where(), operator, "--to", path, *options, "--json",
                        limit=limit)

    def swapped(self, to, *options, **more):
        """The same, which must succeed; returns the status."""
        return json.loads(self.swap(to, *options, **more).expect(0).output)

    def upgrade(self, file, *options, limit=60):
        """`apus job upgrade`; returns what it said and how it ended."""
        return self.ask("job", "upgrade", *self.where(), file, *options, "--json", limit=limit)

    def upgraded(self, file, *options, **more):
        """The same, which must succeed; returns the status."""
        return json.loads(self.upgrade(file, *options, **more).expect(0).output)

    def until_swept(self):
        def is_swept():
            return not any(subtask["originKeys"] for one in self.status()["operators"]
                           for subtask in one["subtasks"])
        self.until("all rows are moved", is_swept)

    def until_written_by(self, code):
        """Until a line of a version can be read; needs its swap to be committed."""
        self.until(f"there is output of {code}", lambda: f'"v":{code}}}' in self.output.read_text())

    def until_caught_up(self):
        self.feed.stop()
        self.until("all records are handled", self.is_caught_up)

    def is_caught_up(self):
        """Counts this process alone: so only for jobs that were not started again."""
        return self.handled() >= self.feed.count

    def kill(self):
        self.running.child.send_signal(signal.SIGKILL)
        return self.running.wait()

    def until_dead(self, limit=40):
        result = self.running.wait(limit)
        if result.status is None:
            raise Failure(f"expected that the job ends; it runs on\n{result.tail}")
        return result

    def stop(self):
        """Stops the job with a last checkpoint."""
        asking = self.rig.start(self.folder, "job", "stop", *self.where())
        # It must not stay a zombie, for whose end the command would wait.
        ended = self.running.wait()
        result = asking.wait()
        if result.status != 0:
            raise Failure(f"apus job stop {result.how}\n{result.tail}\n{ended.tail}")
        return ended.expect(0)

    # What must hold

    def lines(self):
        text = self.output.read_text() if self.output.exists() else ""
        return text.split("\n")[:-1]

    def check_part(self, order, timer_versions=None):
        model = Model(self.input)
        Output(self.lines(), model, timer_versions).check(order, is_whole=False)

    def export(self):
        result = self.ask("state", "export", "--checkpoint", self.checkpoints)
        if result.status != 0:
            raise Failure(f"apus state export {result.how}\n{result.tail}")
        lines = result.output.splitlines(keepends=True)
        return "".join(line for line in lines if '"operator":"also' not in line)

    def finish(self, order, version=None, timer_versions=None, timer_version=None, without=(),
               stop=True, older=()):
        """Stops the job, looks at its state, has it go on to the end, and looks at everything.

        `order`: the codes of the versions in the order in which they may have written.
        `version`: the schema of all state at the end; None: the last one's.
        `older`: the schemas that state may have besides, which nobody has used since.
        """
        version = version or order[-1] // 10
        self.feed.stop()
        if stop:
            self.stop()
        model = Model(self.input, without)
        if stop:
            output = Output(self.lines(), model, timer_versions)
            output.check(order, is_whole=False)
            part = Model.of_output(model, output, self.input)
            check_state(self.export(), part, version, output.fired, timer_version, older)
        self.write(follows=False)
        self.start(feed=False)
        result = self.running.wait(90)
        if result.status != 0:
            raise Failure(f"the job does not go on: it {result.how}\n{result.tail}")
        output = Output(self.lines(), model, timer_versions)
        output.check(order, is_whole=True)
        check_state(self.export(), model, version, None, timer_version, older)
        return output
