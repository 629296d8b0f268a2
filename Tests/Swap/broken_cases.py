"""Versions that are bad, each in its way: refused or taken back, and no line of them is seen."""

import json
import signal
import struct
import time

from bench import Bench
from change_cases import expect, quick
from guard_cases import detached, rolled_back
from oracle import Model, Output

SOON = "  plugins: { call-timeout: 1s, call-warning: 300ms }\n"


def goes_on(bench, order=(10,), version=None, **more):
    """The old version goes on in the same process, and is exact."""
    time.sleep(0.3)
    expect(bench.is_running(), "a job that runs on", bench.tail())
    bench.finish(list(order), version, **more)


def taken_back_in_process(rig, fault, *texts, options=(), base="v2", spec="", **more):
    bench = Bench(rig, spec=spec).start().until_working()
    result = bench.swap(f"{base}+{fault}", "--guard", "8s", *options)
    rolled_back(result, *texts)
    goes_on(bench, **more)
    return bench


def dies_and_is_taken_back(rig, fault, statuses, *texts, base="v2", spec="", guard="20s"):
    """The process ends; the next one has the old version, and the bad one is in quarantine."""
    bench = Bench(rig, spec=spec).start().until_working()
    bench.swap(f"{base}+{fault}", "--guard", guard, "--detach")
    ended = bench.until_dead()
    ended.expect(statuses, *texts)
    bench.check_part([10])
    bench.start(feed=False)
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    expect(bench.history()[-1]["outcome"] in ("rolled-back", "abandoned"),
           "a swap that was taken back", bench.history())
    return bench


def is_quarantined(bench, fault, base="v2"):
    bench.swap(f"{base}+{fault}", "--guard", "1s").expect(2, "was taken back by swap 1")


CRASH = (-signal.SIGSEGV,)


# Before the cut

@quick
def case_bad_crashes_at_load(rig, rng):
    bench = Bench(rig).start().until_working()
    bench.swap("v2+LOAD_CRASH", "--guard", "1s").expect(2)
    goes_on(bench)


@quick
def case_f43_wrong_abi(rig, rng):
    """Another major version of the ABI."""
    bench = Bench(rig).start().until_working()
    content = bytearray(rig.version("v2").read_bytes())
    at = content.index(b"Apus\0\0\0\0" + struct.pack("<I", 64))
    content[at + 12:at + 14] = struct.pack("<H", 9)
    path = bench.folder / "major.so"
    path.write_bytes(content)
    bench.swap(path).expect(2, "9")
    goes_on(bench)


def case_bad_architecture(rig, rng):
    bench = Bench(rig).start().until_working()
    content = bytearray(rig.version("v2").read_bytes())
    content[18:20] = struct.pack("<H", 183 if content[18] == 62 else 62)
    path = bench.folder / "other.so"
    path.write_bytes(content)
    bench.swap(path).expect(2)
    goes_on(bench)


def case_bad_truncated(rig, rng):
    bench = Bench(rig).start().until_working()
    content = rig.version("v2").read_bytes()
    path = bench.folder / "cut.so"
    path.write_bytes(content[:rng.randrange(len(content))])
    bench.swap(path).expect(2)
    goes_on(bench)


def case_f42_create_fails(rig, rng):
    bench = Bench(rig).start().until_working()
    result = bench.swap("v2+CREATE_FAILS", "--guard", "1s").expect(1)
    status = json.loads(result.output)
    expect(status["phase"] == "abandoned", "an abandoned swap", status)
    expect("does not want to be made" in status["reason"], "the plugin's reason", status["reason"])
    # The running version is still the one that a next swap is from, and its rows are migrated.
    bench.swap("v1").expect(2)
    bench.swapped("v2")
    bench.until_swept()
    bench.finish([10, 20])


def case_f42_create_crashes(rig, rng):
    """What a crash in the process cannot do: be contained. The next process knows what it was."""
    bench = dies_and_is_taken_back(rig, "CREATE_CRASH", CRASH, "crash: ")
    bench.finish([10])


def case_f42_create_hangs(rig, rng):
    bench = dies_and_is_taken_back(rig, "CREATE_HANGS", 3, "hung", spec=SOON)
    bench.finish([10])


def case_f33_overwritten(rig, rng):
    """The file is overwritten in place after the swap: what runs is a copy."""
    bench = Bench(rig).start().until_working()
    path = bench.folder / "libsubject.so"
    path.write_bytes(rig.version("v2").read_bytes())
    bench.swapped(path)
    with open(path, "r+b") as file:
        file.write(b"\0" * 20000)
    bench.until_written_by(20)
    bench.until_swept()
    # And it is what the next process has, which only finds the copy.
    bench.finish([10, 20])


def case_f49_same_path(rig, rng):
    """Always the same path, each time another content."""
    bench = Bench(rig).start().until_working()
    path = bench.folder / "libsubject.so"
    for version in ("v1-code", "v1-code-2", "v2", "v3"):
        new = bench.folder / "new.so"
        new.write_bytes(rig.version(version).read_bytes())
        new.replace(path)
        bench.swapped(path)
    bench.until_swept()
    bench.finish([10, 11, 12, 20, 30])


# On probation

def case_f03_crashes_at_first_record(rig, rng):
    bench = dies_and_is_taken_back(rig, "RECORD_CRASH", CRASH, "crash: ")
    is_quarantined(bench, "RECORD_CRASH")
    bench.finish([10])


def case_f03_crashes_unguarded(rig, rng):
    """Nothing was held back, and it had no time for a checkpoint: the old version goes on.

    Unless the commit was faster than the crash: then the new one crashes again, until somebody
    says that the job file counts.
    """
    bench = Bench(rig, interval="1h").start()
    bench.until("it answers", lambda: bench.handled() > 0)
    bench.start_checkpoint().wait().expect(0)
    bench.swap("v2+RECORD_CRASH")
    bench.until_dead().expect(CRASH, "crash: ")
    bench.check_part([10])
    if bench.history()[-1]["outcome"] == "committed":
        bench.start(feed=False)
        bench.until_dead().expect(CRASH, "crash: ")
        bench.start("--forget-swaps", feed=False)
    else:
        bench.start(feed=False)
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    expect("another version" in bench.running.said() or bench.history()[-1]["outcome"] !=
           "committed", "a word about the version", bench.running.said()[-600:])
    bench.finish([10])


def case_bad_crash_restarts_itself(rig, rng):
    """`apus run --restart`: nobody has to do anything."""
    bench = Bench(rig).start("--restart").until_working()
    bench.swap("v2+RECORD_CRASH", "--guard", "20s", "--detach")
    bench.until("the next process answers", lambda: '"rolled-back"' in bench.ask(
        "swap", "history", bench.checkpoints, "--json").output, limit=40)
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    time.sleep(0.5)
    bench.finish([10])


def case_bad_crashes_at_timer(rig, rng):
    bench = dies_and_is_taken_back(rig, "TIMER_CRASH", CRASH, "crash: ")
    bench.finish([10])


def case_bad_crashes_in_migrate(rig, rng):
    bench = dies_and_is_taken_back(rig, "MIGRATE_CRASH", CRASH, "crash: ")
    bench.finish([10])


def case_bad_exits(rig, rng):
    bench = dies_and_is_taken_back(rig, "EXIT", 3, "exit() was called")
    bench.finish([10])


def case_bad_aborts(rig, rng):
    bench = dies_and_is_taken_back(rig, "ABORT", (-signal.SIGABRT,))
    bench.finish([10])


def case_bad_hangs(rig, rng):
    bench = dies_and_is_taken_back(rig, "HANG", 3, "hung", spec=SOON)
    bench.finish([10])


def case_bad_migrate_loops(rig, rng):
    bench = dies_and_is_taken_back(rig, "MIGRATE_LOOPS", 3, "hung", spec=SOON)
    bench.finish([10])


@quick
def case_bad_throws(rig, rng):
    taken_back_in_process(rig, "THROW", "threw an exception")


def case_bad_gives_up(rig, rng):
    taken_back_in_process(rig, "FATAL", "this version gives up")


@quick
def case_f46_slow(rig, rng):
    taken_back_in_process(rig, "SLOW", "99 of 100 batches", options=["--max-p99", "5ms"])


def case_bad_rejects(rig, rng):
    taken_back_in_process(rig, "REJECTS", options=["--max-error-rate", "1%"])


@quick
def case_f47_wrong_output(rig, rng):
    taken_back_in_process(rig, "WRONG_OUTPUT", "violations",
                          options=["--max-counter", "violations=0"])


def case_bad_migrate_drops(rig, rng):
    """Dropping values is allowed; that the state contradicts itself then is found by a counter."""
    taken_back_in_process(rig, "MIGRATE_DROPS", "violations",
                          options=["--max-counter", "violations=0"])


@quick
def case_f14_migrate_fails(rig, rng):
    """Found in the trial on samples of live values: nothing was touched."""
    bench = Bench(rig).start().until_working()
    result = bench.swap("v2+MIGRATE_FAILS", "--guard", "2s", "--on-bad-value", "roll-back")
    result.expect(1, "nobody can read")
    expect(bench.status()["phase"] == "abandoned", "a swap that was abandoned", bench.status())
    goes_on(bench)


def case_f15_migrate_is_not_pure(rig, rng):
    """The same bytes give others the second time: found in the trial on samples."""
    bench = Bench(rig).start().until_working()
    result = bench.swap("v2+MIGRATE_IMPURE", "--guard", "2s")
    result.expect(1, "the second time")
    goes_on(bench)


def case_f45_leaks(rig, rng):
    """Nothing notices a leak by itself; taken back on request, the job is exact."""
    bench = Bench(rig).start().until_working()
    detached(bench, "v2+LEAK")
    time.sleep(1)
    rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
    bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    goes_on(bench)


# What stays behind

def case_f38_thread(rig, rng):
    """A thread of a version that was taken back runs on: its code stays mapped."""
    bench = Bench(rig).start().until_working()
    detached(bench, "v2+THREAD")
    time.sleep(0.5)
    rig.run(bench.folder, "swap", "rollback", *bench.where()).expect(0)
    bench.until("it is taken back", lambda: bench.status()["phase"] == "rolled-back")
    time.sleep(0.5)
    goes_on(bench)


def case_f35_resident(rig, rng):
    """Destructors of threads and unique symbols keep a version; the next one is another all the
    same."""
    bench = Bench(rig).start().until_working()
    bench.swapped("v1-code+RESIDENT")
    bench.swapped("v2+RESIDENT")
    bench.until_swept()
    bench.swapped("v3")
    bench.until_swept()
    bench.finish([10, 11, 20, 30])


# Keys that cannot be migrated

def is_bad(key):
    """As in plugins/subject.c."""
    return len(key) > 1 and key.endswith("7")


def _bad_values(rig, policy):
    """Lines by key of a job whose new version cannot read some keys; the others are exact."""
    bench = Bench(rig).start().until_working()
    bench.swapped("v2+MIGRATE_FAILS", "--on-bad-value", policy)
    bench.until_swept()
    bench.until_written_by(20)
    expect(bench.status()["operators"][0]["quarantined"] > 0, "keys set aside", bench.status())
    bench.feed.stop()
    bench.stop()
    # Which keys are held is forgotten at the end of the process.
    before = len(bench.lines())
    bench.write(follows=False)
    bench.start(feed=False)
    bench.running.wait(60).expect(0)
    model = Model(bench.input)
    lines = [json.loads(line) for line in bench.lines()]
    bad = [line for line in lines[:before] if is_bad(line["k"])]
    for key in [key for key in model.keys if is_bad(key)]:
        del model.keys[key], model.lines[key]
    output = Output([json.dumps(line) for line in lines if not is_bad(line["k"])], model)
    output.check([10, 20], is_whole=True)
    return bench, bad


def case_f14_bad_values_held(rig, rng):
    """Records of such a key are set aside from the cut on: nothing of it is guessed."""
    bench, bad = _bad_values(rig, "hold")
    expect(bad and all(line["v"] == 10 for line in bad), "lines of the old version alone",
           [line for line in bad if line["v"] != 10][:1])


def case_f14_bad_values_begin_anew(rig, rng):
    """Such a key begins with nothing."""
    bench, bad = _bad_values(rig, "dead-letter")
    firsts = {}
    for line in bad:
        if line["v"] == 20 and "c" in line:
            firsts.setdefault(line["k"], line["c"])
    expect(firsts and set(firsts.values()) == {1}, "keys that begin anew", firsts)
