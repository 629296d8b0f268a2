"""Rows 55 to 60: too much data, too little, or false data."""

import pathlib
import re
import signal
import time

from rig import AT, PAUSE, Failure, Job, Neighbour, blamed
from scenarios import fails, survives


def row_55_a_billion_outputs(rig):
    """In bounded memory, and it can be stopped."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("data.cpp"), dict(act="explode", at=200), checkpoints=False)
    text = (job.folder / "job.yaml").read_text()
    text = re.sub(r"plugin: file\n      input: count\n      config: .*\n",
                  "plugin: discard\n      input: count\n", text)
    (job.folder / "job.yaml").write_text(text)
    running = job.start()
    status = pathlib.Path(f"/proc/{running.child.pid}/status")
    peak = written = 0
    for _ in range(400):
        if running.child.poll() is not None:
            break
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
        peak = max(peak, int(found[1]) if found else 0)
        counts = re.findall(r"(\d+) k records", running.said())
        written = len(counts)
        time.sleep(0.005)
    if running.child.poll() is not None:
        raise Failure(f"the job has ended: {running.said()[-300:]}")
    if peak > 600 << 10:
        raise Failure(f"expected at most 600 MiB of memory, found {peak >> 10} MiB")
    running.child.send_signal(signal.SIGINT)
    time.sleep(0.3)
    running.child.send_signal(signal.SIGINT)
    running.wait(10).expect((0, 130), but_not=("a plugin does not return",))
    neighbour.check()


def row_56_huge_value(rig):
    fails(rig, "data.cpp", "huge-value", "without progress")


def row_56_huge_state(rig):
    survives(rig, "data.cpp", "huge-state")


def row_57_undeclared_output(rig):
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("memory.cpp"), dict(act="undeclared-output", at=AT, pause=PAUSE))
    result = job.run()
    if result.status == 0:
        raise Failure("an output that was not declared was accepted")
    result.expect(result.status, blamed())
    neighbour.check()
    job.mend("an output that was not declared")


def row_57_not_utf8_and_odd_times(rig):
    """Bytes are bytes, and a time of an output is its sender's affair: the job goes on."""
    survives(rig, "data.cpp", "odd-records", check=False)


def row_58_emits_nothing(rig):
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("data.cpp"), dict(act="nothing", at=0))
    result = job.run("--json")
    result.expect(0, "count: 24000 in, 0 out")
    neighbour.check()
