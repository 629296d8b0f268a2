"""What cases share: plugins that are compiled, jobs that are run, and what must hold after them."""

import collections
import hashlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = pathlib.Path(__file__).with_name("plugins")
CULPRIT = "plugin test.hostile 6.6.6, operator count, subtask "
# The records of a job's input, and the one at which plugins misbehave: late enough that
# checkpoints are complete, early enough that much is left.
RECORDS, AT, KEYS = 24_000, 16_000, 97
# How long a plugin pauses in each call, in microseconds, so that there is time for checkpoints.
PAUSE = 20_000


class Failure(Exception):
    """A case has failed; the text says what was expected and what was found."""


class Skipped(Exception):
    """A case cannot be run on this machine, or what it tests is not there."""


class Result:
    """A process that has ended."""

    def __init__(self, command, status, output, errors):
        self.command, self.status, self.output, self.errors = command, status, output, errors

    @property
    def tail(self):
        lines = (self.errors.splitlines() or self.output.splitlines())[-14:]
        return "\n".join("    " + line[:300] for line in lines)

    @property
    def how(self):
        if self.status is None:
            return "did not end in time"
        if self.status < 0:
            return f"ended by {signal.Signals(-self.status).name}"
        return f"ended with status {self.status}"

    def expect(self, status, *texts, but_not=()):
        """The status (or one of several) and texts, each in what was said."""
        wanted = status if isinstance(status, (tuple, list, set)) else (status,)
        if self.status not in wanted:
            names = " or ".join(
                signal.Signals(-s).name if s < 0 else f"status {s}" for s in wanted)
            raise Failure(f"expected {names}, it {self.how}\n{self.tail}")
        said = self.errors + self.output
        for text in texts:
            if not (text.search(said) if hasattr(text, "search") else text in said):
                raise Failure(f"expected to be told {getattr(text, 'pattern', text)!r}, found\n"
                              f"{self.tail}")
        for text in but_not:
            if text in said:
                raise Failure(f"did not expect to be told {text!r}, found\n{self.tail}")
        return self


_children = set()
_lock = threading.Lock()
_is_over = threading.Event()


def end_all():
    """Kills what still runs; nothing is started afterwards."""
    _is_over.set()
    with _lock:
        running = list(_children)
    for child in running:
        _kill(child)


def _kill(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Run:
    """A process of the program under test, at work."""

    def __init__(self, command, environment, folder, preexec=None, stdin=None):
        self.command = [str(part) for part in command]
        number = len(list(folder.glob("run-*.err")))
        self.paths = [folder / f"run-{number}.out", folder / f"run-{number}.err"]
        with open(self.paths[0], "wb") as output, open(self.paths[1], "wb") as errors, _lock:
            if _is_over.is_set():
                raise KeyboardInterrupt
            self.child = subprocess.Popen(
                self.command, env=environment, stdin=stdin or subprocess.DEVNULL, stdout=output,
                stderr=errors, cwd=folder, start_new_session=True, preexec_fn=preexec)
            _children.add(self.child)

    def wait(self, limit=60):
        """The result; a process that does not end in time is killed, and has no status."""
        status = None
        try:
            status = self.child.wait(limit)
        except subprocess.TimeoutExpired:
            pass
        # Whatever the plugin has left of itself goes with it.
        _kill(self.child)
        self.child.wait()
        with _lock:
            _children.discard(self.child)
        output, errors = (path.read_text(errors="replace") for path in self.paths)
        return Result(self.command, status, output, errors)

    def said(self):
        return self.paths[1].read_text(errors="replace")


class Rig:
    """The program, the plugins, the folder for temporary files."""

    def __init__(self, options, folder):
        self.apus = pathlib.Path(options.apus).resolve()
        self.folder = pathlib.Path(folder)
        self.seed = options.seed
        self._count = itertools.count(1)
        self._lock = threading.RLock()
        self._built = {}
        self.inputs = {}

    def new_folder(self):
        path = self.folder / f"case-{next(self._count)}"
        path.mkdir()
        return path

    # Plugins

    def build(self, source, *options, name=None, compiler=None, links=()):
        """Compiles a plugin, once; returns its path. `source` is a file's name or a text."""
        key = hashlib.sha256(repr((source, options, compiler, links)).encode()).hexdigest()[:16]
        with self._lock:
            if key not in self._built:
                self._built[key] = threading.Lock()
            lock = self._built[key]
        folder = self.folder / "plugins" / key
        with lock:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / (name or "libhostile.so")
            if path.exists():
                return path
            if "\n" in source:
                file = folder / "source.cpp"
                file.write_text(source)
            else:
                file = PLUGINS / source
            self.compile(file, path, options, compiler, links)
            return path

    def compile(self, file, to, options=(), compiler=None, links=()):
        compilers = [compiler] if compiler else [os.environ.get("CXX"), "clang++", "g++", "c++"]
        found = next(filter(None, map(shutil.which, filter(None, compilers))), None)
        if found is None:
            raise Skipped(f"needs a compiler: {compilers[-1]}")
        language = ["-std=c++17"] if file.suffix == ".cpp" else ["-x", "c", "-std=c11"]
        command = [found, *language, "-shared", "-fPIC", "-fvisibility=hidden", "-O1", "-w",
                   "-I", ROOT / "sdk" / "c" / "include", "-I", PLUGINS, *options, file, "-o", to,
                   *links]
        result = subprocess.run([str(part) for part in command], capture_output=True)
        if result.returncode != 0:
            raise Failure(f"cannot compile {file.name}: {result.stderr.decode()[-600:]}")

    def good(self):
        """The plugin that behaves."""
        return self.build("good.cpp")

    # The program

    def environment(self, folder, **more):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("APUS_") and name != "LD_PRELOAD"}
        return {**kept, "APUS_CACHE": str(folder / "cache"), **more}

    def start(self, folder, *arguments, preexec=None, **more):
        return Run([self.apus, *arguments], self.environment(folder, **more), folder,
                   preexec=preexec)

    def run(self, folder, *arguments, limit=60, preexec=None, **more):
        return self.start(folder, *arguments, preexec=preexec, **more).wait(limit)

    # Input

    def input(self, records=RECORDS):
        """A file of so many records, and the lines that a job must write for it."""
        with self._lock:
            if records not in self.inputs:
                path = self.folder / f"input-{records}.jsonl"
                counts = collections.Counter()
                lines, expected = [], collections.Counter()
                for n in range(records):
                    key = f"k{n * 7919 % KEYS}"
                    counts[key] += 1
                    lines.append(f'{{"k":"{key}","n":{n}}}\n')
                    expected[f'{{"k":"{key}","n":{n},"c":{counts[key]}}}'] += 1
                path.write_text("".join(lines))
                self.inputs[records] = (path, expected)
            return self.inputs[records]


class Job:
    """A job that counts records per key, with a plugin of ours."""

    def __init__(self, rig, plugin, config=None, records=RECORDS, checkpoints=True, folder=None,
                 parallelism=2, spec="", source=None):
        self.rig, self.parallelism = rig, parallelism
        self.folder = folder or rig.new_folder()
        self.input, self.expected = rig.input(records)
        self.plugin = self.folder / "plugin.so"
        self.use(plugin)
        self.output = self.folder / "out.jsonl"
        self.checkpoints = self.folder / "checkpoints"
        self.has_checkpoints = checkpoints
        self.config, self.spec, self.source = config or {}, spec, source
        self.write()

    def use(self, plugin):
        """Puts another plugin in its place, as a user would who mends it."""
        path = pathlib.Path(plugin)
        if path.exists() or path.is_symlink():
            temporary = self.folder / "plugin.new"
            shutil.copyfile(path, temporary)
            os.replace(temporary, self.plugin)
        else:
            self.plugin = path

    def write(self):
        checkpoint = (f"  checkpoint: {{ dir: \"{self.checkpoints}\", interval: 100ms }}\n"
                      if self.has_checkpoints else "")
        source = self.source or (
            f"    - id: records\n      plugin: file\n      config: {{ path: \"{self.input}\" }}\n")
        (self.folder / "job.yaml").write_text(
            "apiVersion: apus/v1\nkind: Job\nmetadata: { name: hostile }\nspec:\n"
            f"{checkpoint}{self.spec}  sources:\n{source}"
            f"  operators:\n    - id: count\n      plugin: \"{self.plugin}\"\n"
            f"      input: records\n      key: k\n      config: {json.dumps(self.config)}\n"
            f"  sinks:\n    - id: out\n      plugin: file\n      input: count\n"
            f"      config: {{ path: \"{self.output}\" }}\n")

    def start(self, *options, preexec=None, **more):
        start = ["--from", "latest-or-new"] if self.has_checkpoints else []
        return self.rig.start(self.folder, "run", "job.yaml", "-p", self.parallelism, *start,
                              *options, preexec=preexec, **more)

    def run(self, *options, limit=60, preexec=None, **more):
        return self.start(*options, preexec=preexec, **more).wait(limit)

    # Output

    def lines(self):
        text = self.output.read_text() if self.output.exists() else ""
        lines = text.split("\n")
        return lines[:-1], lines[-1]

    def check_part(self):
        """Nothing twice, nothing made up; a delivery may be cut off in its last line."""
        lines, rest = self.lines()
        surplus = collections.Counter(lines) - self.expected
        if surplus:
            raise Failure(f"{sum(surplus.values())} lines too many, as {next(iter(surplus))!r}")
        if rest and not any(line.startswith(rest) for line in self.expected):
            raise Failure(f"the output ends with what belongs nowhere: {rest[:80]!r}")

    def check_whole(self):
        """Exactly the expected lines."""
        self.check_part()
        lines, _ = self.lines()
        missing = self.expected - collections.Counter(lines)
        if missing:
            raise Failure(f"{sum(missing.values())} lines are missing, as {next(iter(missing))!r}")

    def complete_checkpoints(self):
        return (self.checkpoints / "CURRENT").exists()

    def mend(self, why):
        """Goes on with the good version: nothing lost, nothing doubled."""
        if self.has_checkpoints:
            self.check_part()
        elif self.output.exists():
            self.output.unlink()
        self.use(self.rig.good())
        result = self.run()
        if result.status != 0:
            raise Failure(f"after {why} the good version does not go on: it {result.how}\n"
                          f"{result.tail}")
        self.check_whole()


class Neighbour:
    """A good job in a process beside the hostile one, which must not notice."""

    def __init__(self, rig, records=6_000):
        self.job = Job(rig, rig.good(), records=records, checkpoints=False, parallelism=1)
        self.running = self.job.start()

    def check(self):
        result = self.running.wait()
        if result.status != 0:
            raise Failure(f"the neighbour was affected: it {result.how}\n{result.tail}")
        try:
            self.job.check_whole()
        except Failure as failure:
            raise Failure(f"the neighbour was affected: {failure}") from None


def blamed(callback="process", subtask=None):
    """How a message names plugin, version, operator, subtask and callback."""
    which = r"\d+" if subtask is None else str(subtask)
    return re.compile(re.escape(CULPRIT) + which + r"(, callback |, )" + callback + r"\b")
