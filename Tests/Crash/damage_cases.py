"""Files of a checkpoint folder are changed, cut, exchanged, removed."""

import random
import shutil
import signal
import time

from bench import Bench, reached
from process import Failure
from workloads import sealed


# Of a document each so many bytes one is flipped, and the next bit of it each time: odd, so that
# all bits come up.
STEP = 37

# Jobs and sinks; of "rules" the files with operator state and broadcast state.
VARIANTS = {"file": ("tickets", "file"), "folder": ("tickets", "folder"),
            "rules": ("rules", "file")}


class Original:
    """A small checkpoint folder with two complete checkpoints, and the output so far.

    The input has not ended in them: a job that goes on from there has something to do.
    """

    def __init__(self, world, rng, variant):
        job, self.sink = VARIANTS[variant]
        # On a busy machine checkpoints are few: then a longer job is taken.
        tries = [(workload, point) for workload in (job, job + "-long")
                 for point in ("C13@3", "C13@2")]
        for workload, point in tries:
            self.bench = Bench(world, world.workload(workload), rng, self.sink)
            if self.bench.run(failpoint=point).was_killed:
                self.manifest = self.bench.manifest()
                if not self.manifest["isFinal"]:
                    break
            self.bench.remove()
        else:
            raise Failure("the job ends before its second checkpoint")
        self.files = {
            str(path.relative_to(self.bench.checkpoints)): path.stat().st_size
            for folder in ("manifests", "files", ".")
            for path in (self.bench.checkpoints / folder).iterdir() if path.is_file()}
        self.current = "manifests/" + sealed(self.bench.checkpoints / "CURRENT")["manifest"]
        self.live = {"files/" + file["contentName"] for file in self.manifest["files"]}
        self.own = {"files/" + file["contentName"] for file in self.manifest["files"]
                    if file["role"] in ("operatorState", "broadcast")}
        self.vital = self.live | {"CURRENT", "FOLDER", self.current}

    def copy_to(self, bench):
        """Gives another job everything as it is here."""
        shutil.rmtree(bench.checkpoints, ignore_errors=True)
        shutil.rmtree(bench.output_folder)
        shutil.copytree(self.bench.output_folder, bench.output_folder)
        shutil.copytree(self.bench.checkpoints, bench.checkpoints,
                        ignore=shutil.ignore_patterns("work", "control.sock"))
        if self.bench.rejected.exists():
            shutil.copy(self.bench.rejected, bench.rejected)


def damage_cases(world, is_quick):
    """Bytes of CURRENT, FOLDER, the manifest and each file, and whole files."""
    for variant in VARIANTS:
        original = world.original(variant)
        names = sorted(original.own if variant == "rules" else original.files)
        for name in names:
            if name != "LOCK":
                yield from _cases_of_file(world, variant, original, name)
        if is_quick:
            return
        if variant == "rules":
            continue
        for left, right in _pairs(original):
            what = f"swap/{left[:22]}/{right[:22]}"
            yield _case(world, variant, what, left, Change.swap(right))
        for name in ("CURRENT", "FOLDER", original.current):
            yield _case(world, variant, f"foreign/{name[:22]}", name, Change.foreign(world))


def _cases_of_file(world, variant, original, name):
    size, short = original.files[name], name[:22]
    if name in ("CURRENT", "FOLDER", original.current):
        step = 1 if world.every_byte else STEP * world.stride
    else:
        step = max(97, size // 8) * world.stride
    # Other bytes with each seed.
    begin = random.Random(f"{world.seed} {variant} {short}").randrange(min(step, max(1, size)))
    for index, at in enumerate(range(begin, size, step)):
        yield _case(world, variant, f"flip/{short}/{at}", name, Change.flip(at, index % 8))
    cuts = range(0, size, 512 * world.stride)
    # Of a large file some: it is the same content all over.
    for at in cuts if len(cuts) <= 16 else cuts[::len(cuts) // 8]:
        yield _case(world, variant, f"cut/{short}/{at}", name, Change.cut(at))
    yield _case(world, variant, f"remove/{short}", name, Change.remove())
    yield _case(world, variant, f"zero/{short}", name, Change.zero())


def _pairs(original):
    files = sorted(original.live)
    yield from zip(files, files[1:])
    manifests = sorted(name for name in original.files if name.startswith("manifests/"))
    yield from zip(manifests, manifests[1:])
    yield "CURRENT", original.current


class Change:
    """Ways to spoil a file: functions of the checkpoint folder and the file's name in it."""

    @staticmethod
    def flip(at, bit):
        def change(folder, name):
            path = folder / name
            content = bytearray(path.read_bytes())
            content[at] ^= 1 << bit
            path.write_bytes(content)
        return change

    @staticmethod
    def cut(at):
        def change(folder, name):
            path = folder / name
            path.write_bytes(path.read_bytes()[:at])
        return change

    @staticmethod
    def zero():
        def change(folder, name):
            path = folder / name
            path.write_bytes(bytes(path.stat().st_size))
        return change

    @staticmethod
    def remove():
        return lambda folder, name: (folder / name).unlink()

    @staticmethod
    def swap(other):
        def change(folder, name):
            content = (folder / name).read_bytes()
            (folder / name).write_bytes((folder / other).read_bytes())
            (folder / other).write_bytes(content)
        return change

    @staticmethod
    def foreign(world):
        """Puts the same file of another folder of the same job there."""
        def change(folder, name):
            other = world.original("file", copy=1).bench.checkpoints
            candidates = sorted(other.glob(name.rsplit("/", 1)[0] + "/*.json")) \
                if "/" in name else [other / name]
            shutil.copy(candidates[-1], folder / name)
        return change


def _case(world, variant, what, name, change):
    def body(rng):
        original = world.original(variant)
        bench = Bench(world, original.bench.workload, rng, original.sink)
        original.copy_to(bench)
        change(bench.checkpoints, name)
        before = bench.committed()
        run = bench.run(start="latest")
        is_vital = name in original.vital
        short = name.rsplit("/", 1)[-1]
        if is_vital and short not in run.text:
            raise Failure(f"not a word of {name}: status {run.status}\n{run.tail}")
        if run.status == 0:
            bench.check_whole()
            return bench
        if run.status not in (1, 2):
            raise Failure(f"status {run.status}\n{run.tail}")
        if run.status == 2 and bench.committed() != before:
            raise Failure(f"the job did not start, and changed its output\n{run.tail}")
        _mend(bench, run, original, name)
        return bench

    return f"damage/{variant}/{what}", body


def _mend(bench, run, original, name):
    """Does what the error says, or puts the file back; then the job must go on to the end."""
    if "--rewind-output" in run.text:
        before = bench.committed()
        run = bench.run(start="latest", options=["--rewind-output"])
        if run.status != 0:
            raise Failure(f"--rewind-output did not help: status {run.status}\n{run.tail}")
        bench.check_whole()
        _check_moved(bench, before)
        return
    original.copy_to(bench)
    bench.finish(start="latest")


def rewind_cases(world, count):
    """The newest checkpoint is damaged, and the process is killed while it moves output away."""
    for index in range(count):
        sink = ("file", "folder")[index % 2]
        yield f"rewind/{index}/{sink}", _rewind_body(world, sink)


def _rewind_body(world, sink):
    def body(rng):
        bench = Bench(world, world.workload("tickets-long"), rng, sink)
        # When an attempt begins, the output of the checkpoint before it is delivered.
        reached(bench.run_to_kill("C1@4"))
        newest = sealed(bench.checkpoints / "CURRENT")["manifest"]
        (bench.checkpoints / "manifests" / newest).write_bytes(b"damaged")
        before = bench.committed()
        run = bench.run(start="latest")
        if run.status != 2 or "--rewind-output" not in run.text:
            raise Failure(f"went back without a word: status {run.status}\n{run.tail}")
        if bench.committed() != before:
            raise Failure(f"the job did not start, and changed its output\n{run.tail}")
        for _ in range(rng.randint(1, 4)):
            run = bench.start(start="latest", options=["--rewind-output"])
            time.sleep(rng.uniform(0, 0.3))
            run.send(signal.SIGKILL)
            run.wait()
            if run.status not in (0, -signal.SIGKILL):
                raise Failure(f"ended with status {run.status}\n{run.tail}")
        run = bench.run(start="latest", options=["--rewind-output"])
        if run.status != 0:
            raise Failure(f"the restart failed with exit status {run.status}\n{run.tail}")
        bench.check_whole()
        _check_moved(bench, before)
        return bench

    return body


def _check_moved(bench, before):
    """What was taken back is beside the output: nothing is lost, whoever wrote it."""
    for name, path in bench.outputs.items():
        kept = bench.committed()[name]
        if bench.sink == "file":
            moved = [p.read_bytes() for p in path.parent.glob(path.name + ".rewound-*")]
            # A kill between copy and cut leaves a second copy.
            lost = moved and not any(before[name].endswith(piece) for piece in moved)
        else:
            parts = {p.name: p.read_bytes() for p in path.glob("rewound-*/part-*")}
            lost = any(kept.get(part, parts.get(part)) != content
                       for part, content in before[name].items())
        if lost:
            raise Failure(f"{name}: --rewind-output has lost what it took back")
