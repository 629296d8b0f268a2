"""The disk fails: single calls, for a while, for good; it is full; it can only be read."""

import os
import pathlib
import re
import signal
import subprocess
import threading
import time

from bench import Bench, names_a_file, reached
from process import Failure, Skipped, SweepEnded

CALLS = ["write", "sync", "create", "rename", "link", "remove", "truncate", "folder", "read"]
# Calls of which a failure need not be told: what stays behind is removed later, and what cannot be
# read of an old checkpoint is not needed.
QUIET = ("remove", "read")


def fault_cases(world, is_quick):
    """The n-th call of a kind fails, for every n until none fails any more."""
    if is_quick:
        plan = [(call, error, at, mode) for call, error, mode, places in (
            ("write", "EIO", "once", (3, 20)), ("write", "ENOSPC", "torn", (5, 30)),
            ("sync", "EIO", "once", (1, 9, 14)), ("sync", "ENOSPC", "once", (6,)),
            ("rename", "EIO", "once", (2, 9)), ("link", "ENOSPC", "once", (2, 7)),
            ("create", "ENOSPC", "once", (1, 12)), ("folder", "EIO", "once", (4,)),
            ("write", "ENOSPC", "while", (12,)), ("sync", "EIO", "while", (8,)),
            ("read", "EIO", "once", (3,)), ("remove", "EIO", "once", (2,)),
        ) for at in places]
        for call, error, at, mode in plan:
            sink = ("file", "folder")[at % 2]
            yield (f"fault/{call}/{error}/{mode}/{sink}/{at}",
                   _fault_body(world, call, error, at, mode, sink))
        return
    for call in CALLS:
        for error in ("EIO", "ENOSPC"):
            if call == "read" and error == "ENOSPC":
                continue
            for mode in ("once", "torn", "while", "always"):
                if mode == "torn" and call != "write":
                    continue
                for sink in ("file", "folder"):
                    yield from _sweep(world, call, error, mode, sink)


def _sweep(world, call, error, mode, sink):
    """Cases for n = 1, 2, 3 ... that end when three in a row found no call to fail."""
    # Single failures are cheap and each of them counts; the others are sampled.
    step = {"once": 1, "torn": 2, "while": 5, "always": 7}[mode] * world.stride
    sweep = world.sweep((call, error, mode, sink))
    for at in range(1, 2000, step):
        if sweep.misses >= 3:
            return
        yield (f"fault/{call}/{error}/{mode}/{sink}/{at}",
               _fault_body(world, call, error, at, mode, sink, sweep))


def _fault_body(world, call, error, at, mode, sink, sweep=None):
    def body(rng):
        bench = Bench(world, world.workload("tickets-short"), rng, sink)
        switch = bench.folder / "switch"
        switch.touch()
        count = {"once": 1, "torn": 1, "while": 0, "always": 0}[mode]
        faults = bench.faults(call, at, error, count, mode == "torn",
                              switch if count == 0 else None)
        # Restoring reads, and finds other files than the first start does.
        if call == "read" or rng.random() < 0.3:
            bench.run_to_kill(f"C13@{rng.choice([1, 2])}")
            faults = bench.faults(call, at, error, count, mode == "torn",
                                  switch if count == 0 else None)
        run = bench.start(faults=faults)
        if mode == "while":
            threading.Timer(1.5, lambda: switch.unlink(missing_ok=True)).start()
        try:
            if mode == "always":
                _stop_waiting(run)
            run.wait(60)
        except Failure as failure:
            raise Failure(f"after {_told(bench.fired())}: {failure}") from None
        finally:
            switch.unlink(missing_ok=True)
        fired = bench.fired()
        if sweep:
            sweep.misses = 0 if fired else sweep.misses + 1
        _judge(bench, run, fired)
        if sweep and not fired:
            raise SweepEnded
        reached(bool(fired))
        if run.status == 0:
            bench.check_whole()
        else:
            bench.check_partial()
            bench.finish()
        return bench

    return body


def _stop_waiting(run):
    """A job waits for a disk as long as it takes; but it says so, and can be stopped."""
    says = re.compile("tries again|tried again")
    limit = time.monotonic() + 8
    while run.is_running() and time.monotonic() < limit and not says.search(run.text):
        time.sleep(0.05)
    # A little longer, for what else may come.
    for seconds in (0.5, 2):
        limit = time.monotonic() + seconds
        while run.is_running() and time.monotonic() < limit:
            time.sleep(0.05)
        if run.is_running():
            if not says.search(run.text):
                raise Failure(f"waits, and does not say for what\n{run.tail}")
            run.send(signal.SIGINT)


def _told(fired):
    return "; ".join(f"{call} {path}" for call, path in fired[:3])


def _judge(bench, run, fired):
    """What a job may do when its disk fails: go on, or end with an error that names the file."""
    what = _told(fired)
    # 130: broken off with the second Ctrl-C.
    if run.status not in (0, 1, 2, 130):
        raise Failure(f"status {run.status} after {what}\n{run.tail}")
    if run.status and not fired:
        raise Failure(f"status {run.status} without a fault\n{run.tail}")
    if run.status and not names_a_file(run.text, bench):
        raise Failure(f"the error after {what} names no file\n{run.tail}")
    loud = [path for call, path in fired if call not in QUIET and "/work/state/" not in path]
    if loud and run.status == 0 and "warning" not in run.text and "note:" not in run.text:
        raise Failure(f"no word of the failed {what}\n{run.tail}")


# Disks that are full


def full_disk_cases(world, is_quick):
    """Little room for checkpoints, for output, for both; later there is more."""
    for place in ("checkpoints", "output", "both"):
        for room in ((150,) if is_quick else (0, 50, 150, 300, 600)):
            for sink in (("file",) if is_quick else ("file", "folder")):
                yield f"full-disk/{place}/{room}k/{sink}", _full_body(world, place, room, sink)


def _full_body(world, place, room, sink):
    def body(rng):
        with Mount(world, "tmpfs", ["-o", "size=8m"]) as disk:
            bench = Bench(
                world, world.workload("tickets"), rng, sink,
                checkpoints=disk.path / "ck" if place != "output" else None,
                outputs=disk.path / "out" if place != "checkpoints" else None)
            ballast = disk.path / "ballast"
            free = os.statvfs(disk.path)
            # The job needs some room to start at all.
            ballast.write_bytes(bytes(max(0, free.f_bavail * free.f_bsize - room * 1024)))
            run = bench.start()
            threading.Timer(2.5, lambda: ballast.unlink(missing_ok=True)).start()
            run.wait(90)
            ballast.unlink(missing_ok=True)
            if run.status == 0:
                bench.check_whole()
            else:
                # Without room it may not even start; then it must say where.
                if run.status not in (1, 2) or not names_a_file(run.text, bench):
                    raise Failure(f"status {run.status}, and no file is named\n{run.tail}")
                if room >= 300:
                    raise Failure(f"did not wait for room: status {run.status}\n{run.tail}")
                bench.check_partial()
                bench.finish()
            return bench

    return body


def read_only_cases(world, is_quick):
    """The file system goes read-only in the middle, as ext4 does when it meets an error."""
    for index in range(1 if is_quick else 6):
        yield f"read-only/{index}", _read_only_body(world, ("file", "folder")[index % 2])


def _read_only_body(world, sink):
    def body(rng):
        with Mount(world, "ext4") as disk:
            bench = Bench(world, world.workload("tickets-long"), rng, sink,
                          checkpoints=disk.path / "ck", outputs=disk.path / "out")
            run = bench.start()
            time.sleep(rng.uniform(0.3, 0.8))
            result = subprocess.run(["mount", "-o", "remount,abort", str(disk.path)],
                                    capture_output=True)
            if result.returncode != 0:
                run.send(9)
                run.wait()
                raise Skipped("this kernel cannot abort an ext4")
            run.wait(90)
            if run.status == 0:
                reached(False)
            if run.status != 1 or not names_a_file(run.text, bench):
                raise Failure(f"status {run.status}\n{run.tail}")
            disk.remount()
            bench.check_partial(is_power_cut=True)
            bench.finish()
            return bench

    return body


class Mount:
    """A file system of its own, unmounted at the end whatever happens."""

    def __init__(self, world, kind, options=()):
        if os.geteuid() != 0:
            raise Skipped("needs root, to mount")
        self.world = world
        self.kind = kind
        self.options = list(options)
        self.folder = world.new_folder()
        self.path = pathlib.Path(self.folder) / "mounted"
        self.image = pathlib.Path(self.folder) / "image"

    def __enter__(self):
        self.path.mkdir()
        if self.kind == "ext4":
            with open(self.image, "wb") as file:
                file.truncate(48 << 20)
            self._call(["mkfs.ext4", "-q", "-F", "-J", "size=4", str(self.image)])
        self.mount()
        return self

    def mount(self):
        if self.kind == "ext4":
            self._call(["mount", "-o", "loop", str(self.image), str(self.path)])
        else:
            self._call(["mount", "-t", self.kind, *self.options, "none", str(self.path)])
        self.world.mounts.add(str(self.path))

    def unmount(self):
        for _ in range(50):
            result = subprocess.run(["umount", str(self.path)], capture_output=True)
            if result.returncode == 0:
                break
            time.sleep(0.1)
        else:
            subprocess.run(["umount", "-l", str(self.path)], capture_output=True)
        self.world.mounts.discard(str(self.path))

    def remount(self):
        self.unmount()
        self.mount()

    def __exit__(self, *_):
        if str(self.path) in self.world.mounts:
            self.unmount()

    @staticmethod
    def _call(command):
        try:
            result = subprocess.run(command, capture_output=True)
        except OSError as error:
            raise Skipped(f"{command[0]}: {error.strerror}") from None
        if result.returncode != 0:
            raise Skipped(f"{command[0]}: {result.stderr.decode().strip()}")
