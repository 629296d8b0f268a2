"""Rows 67 to 73: versions whose state does not fit, migrations, snapshots, functions."""

import json
import signal
import time

from rig import PAUSE, PLUGINS, Failure, Job, Neighbour, blamed
from scenarios import kills


def _interrupted(rig, *options):
    """A job that was killed in the middle of its work, with a complete checkpoint."""
    plugin = rig.build("process.cpp", *options)
    job = Job(rig, plugin, dict(act="none", at=0, pause=PAUSE))
    running = job.start()
    for _ in range(1000):
        if job.complete_checkpoints() or running.child.poll() is not None:
            break
        time.sleep(0.01)
    running.child.send_signal(signal.SIGKILL)
    running.wait()
    if not job.complete_checkpoints():
        raise Failure("the job has ended without a checkpoint")
    return job


def _does_not_fit(rig, old, new, *says):
    """The new version is refused, and what it would have lost is there for the right one."""
    neighbour = Neighbour(rig)
    job = _interrupted(rig, *old)
    before = job.lines()
    job.use(rig.build("process.cpp", *new))
    job.run().expect((1, 2), "its state does not fit checkpoint", *says)
    if job.lines() != before:
        raise Failure("a job that was refused has written output")
    neighbour.check()
    if old:
        job.use(rig.build("process.cpp", *old))
        job.run().expect(0)
        job.check_whole()
    else:
        job.mend("a version whose state does not fit")


# Row 67

def row_67_crashes_on_old_state(rig):
    """The new version crashes when it gets the state: the old one goes on."""
    neighbour = Neighbour(rig)
    job = _interrupted(rig)
    job.use(rig.build("crash.cpp"))
    job.config = dict(act="null-pointer", where="open", at=0)
    job.write()
    for _ in range(2):
        job.run().expect(kills("SIGSEGV"), "apus: crash: ", blamed("open"))
    neighbour.check()
    job.mend("two crashes while it restored")


# Rows 69 and 70

def row_69_older_schema(rig):
    _does_not_fit(rig, ("-DSCHEMA_VERSION=2",), ("-DSCHEMA_VERSION=1",), "version 2", "version 1")


def row_70_renamed(rig):
    _does_not_fit(rig, (), ('-DCOUNT_STATE=make_state("tally", APUS_STATE_COUNTER, 0)',),
                  "'count'", "'tally'")


def row_70_other_kind(rig):
    _does_not_fit(rig, (), ('-DCOUNT_STATE=make_state("count", APUS_STATE_VALUE, 8)',),
                  "counter 'count'", "value[8] 'count'")


def row_70_dropped(rig):
    _does_not_fit(rig, (), ("-DSTATE_COUNT=1",), "'any'")


# Row 71

def _snapshot(rig, *options):
    plugin = rig.build("snapshot.cpp", *options)
    neighbour = Neighbour(rig)
    job = Job(rig, plugin, dict(pause=PAUSE))
    return neighbour, job, job.run()


def row_71_empty_snapshot(rig):
    neighbour, job, result = _snapshot(rig)
    result.expect(0)
    job.check_whole()
    neighbour.check()


def row_71_endless_snapshot(rig):
    neighbour, job, result = _snapshot(rig, "-DSNAPSHOT_ENDLESS")
    neighbour.check()
    result.expect((0, 1), blamed("save"), "64 MiB")
    job.mend("a snapshot without end")


def row_71_snapshot_throws(rig):
    neighbour, job, result = _snapshot(rig, "-DSNAPSHOT_THROWS")
    neighbour.check()
    result.expect((0, 1), blamed("save"), "threw an exception")
    job.mend("a snapshot that throws")


# Row 73

def _function(rig, symbol, signature, samples, *says, status, parallelism=2, name="n"):
    library = rig.folder / "libfunction.so"
    with rig._lock:
        if not library.exists():
            rig.compile(PLUGINS / "function.c", library, ["-O0"])
    neighbour = Neighbour(rig)
    job = Job(rig, rig.good(), checkpoints=False, records=6_000, parallelism=parallelism)
    path = job.folder / "job.yaml"
    head, rest = path.read_text().split("      plugin: \"", 1)
    function = {"library": str(library), "symbol": symbol, "signature": signature,
                "arguments": [f"$.{name}"], "result": "$.r", "samples": samples}
    tail = rest[rest.index("      input: records"):].replace("      config: {}\n", "", 1)
    path.write_text(f"{head}      function: {json.dumps(function)}\n{tail}")
    result = job.run()
    result.expect(status, *says)
    neighbour.check()
    return result


def row_73_divides_by_zero(rig):
    """The samples do not show it; the first record does."""
    _function(rig, "divide", "i64(i64)", [[4]], "apus: crash: SIGFPE", "divide",
              status=kills("SIGFPE"))


def row_73_wrong_type(rig):
    _function(rig, "length", "i64(i64)", [[7]], "length", status=2)


def row_73_not_thread_safe(rig):
    _function(rig, "with_static_state", "i64(i64)", [[1]], status=0)


def row_73_ends_the_process(rig):
    _function(rig, "ends_the_process", "i64(i64)", [[1]], "exit() was called",
              "ends_the_process", status=3)
