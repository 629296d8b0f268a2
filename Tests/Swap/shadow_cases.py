"""A new version beside the running one: compared, never seen, and no harm to the job."""

import json
import pathlib
import time

from bench import Bench
from change_cases import expect, quick
from kinds_cases import KindBench, check_counts, ruled


def shadowed(bench, to, *options, status=0, **more):
    """A swap behind a shadow; returns the status."""
    result = bench.swap(to, "--shadow", "2s", *options, **more).expect(status)
    found = json.loads(result.output)
    report = found["shadow"]["report"]
    expect(status != 0 or report["isFinal"] is False, "a sum over the subtasks", report)
    return found


def kept_out(bench, to, *texts, **more):
    """A version that the shadow keeps out; the job goes on in the same process."""
    child = bench.running.child.pid
    found = shadowed(bench, to, status=1, **more)
    expect(found["phase"] == "abandoned", "a swap that was abandoned", found)
    for text in texts:
        expect(text in found["reason"], f"a reason with {text!r}", found["reason"])
    expect(bench.is_running() and bench.running.child.pid == child, "a job that runs on",
           bench.tail())
    return found


def children(bench):
    """The processes of shadows that a job has."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rsplit(")", 1)[1].split()[1]
            command = path.with_name("cmdline").read_bytes().split(b"\0")
        except (OSError, IndexError):
            continue  # It has ended meanwhile.
        if int(parent) == bench.running.child.pid and b"shadow" in command:
            found.append(int(path.parent.name))
    return found


@quick
def case_shadow_equal_schema(rig, rng):
    """All kinds of state are taken over in the shadow, timers, too: the lines are the same."""
    bench = Bench(rig).start().until_working()
    found = shadowed(bench, "v2-same")
    report = found["shadow"]["report"]
    expect(found["phase"] == "committed", "a swap that was committed", found)
    expect(report["onlyRunning"] == report["onlyNew"] == 0, "no differences", report)
    expect(report["outputsEqual"] > report["records"] > 1000, "lines of records and timers", report)
    expect(report["keys"] > 400 and report["keysRefused"] == 0, "nearly all keys", report)
    expect(not children(bench), "no process that stays", children(bench))
    bench.until_swept()
    bench.finish([10], 2, timer_version=1)


def case_shadow_code_only(rig, rng):
    """Every line differs, and may: it is let in."""
    bench = Bench(rig).start().until_working()
    found = shadowed(bench, "v1-code", "--max-differences", "100%", "--guard", "500ms")
    report = found["shadow"]["report"]
    expect(found["phase"] == "committed", "a swap that was committed", found)
    expect(report["outputsEqual"] == 0 and report["onlyRunning"] == report["onlyNew"] > 1000,
           "nothing but differences", report)
    bench.finish([10, 11])


@quick
def case_shadow_differs(rig, rng):
    bench = Bench(rig).start().until_working()
    found = kept_out(bench, "v2-same+WRONG_OUTPUT", "outputs differ", "0.0 % may")
    samples = found["shadow"]["report"]["samples"]
    expect({sample["side"] for sample in samples} == {"running", "new"}, "samples of both", samples)
    expect('"s":-' in [s for s in samples if s["side"] == "new"][0]["value"], "what is wrong",
           samples)
    expect(bench.history()[-1]["outcome"] == "abandoned", "history", bench.history())
    bench.finish([10])


def case_shadow_without_records(rig, rng):
    """Nothing was compared, so nothing has passed."""
    bench = Bench(rig, first=2000, rate=0).start().until_working()
    bench.until_caught_up()
    kept_out(bench, "v1-code", "no record came")
    bench.finish([10])


def case_shadow_rejects(rig, rng):
    """A record that only one of them rejects is a difference."""
    bench = Bench(rig).start().until_working()
    found = kept_out(bench, "v1-code+REJECTS", "outputs differ")
    expect(any("output" not in sample for sample in found["shadow"]["report"]["samples"]),
           "a rejected record", found["shadow"])
    report = found["shadow"]["report"]
    expect(report["rejectedRunning"] == 0 and report["rejectedNew"] > 0, "rejections", report)
    expect("rejected" not in bench.tail(), "no dead letters", bench.tail())
    bench.finish([10])


@quick
def case_shadow_crash(rig, rng):
    """A crash ends its own process alone."""
    bench = Bench(rig).start().until_working()
    kept_out(bench, "v1-code+RECORD_CRASH", "crashed (SIGSEGV)")
    bench.finish([10])


def case_shadow_exit(rig, rng):
    bench = Bench(rig).start().until_working()
    kept_out(bench, "v1-code+EXIT", "ended its process with status")
    bench.finish([10])


def case_shadow_throws(rig, rng):
    bench = Bench(rig).start().until_working()
    kept_out(bench, "v1-code+THROW", "this version does not like it")
    bench.finish([10])


def case_shadow_timer_crash(rig, rng):
    """Timers that were armed before the shadow fire in it."""
    bench = Bench(rig).start().until_working()
    kept_out(bench, "v1-code+TIMER_CRASH", "crashed (SIGSEGV)")
    bench.finish([10])


def case_shadow_hang(rig, rng):
    bench = Bench(rig).start().until_working()
    kept_out(bench, "v1-code+HANG", "10 s", limit=90)
    expect(not children(bench), "no process that stays", children(bench))
    bench.finish([10])


def case_shadow_migrate_fails(rig, rng):
    bench = Bench(rig).start().until_working()
    kept_out(bench, "v2+MIGRATE_FAILS", "could not be taken over", "nobody can read")
    bench.finish([10])


def case_shadow_migrate_crashes(rig, rng):
    """Without a shadow this ends the job."""
    bench = Bench(rig).start().until_working()
    kept_out(bench, "v2+MIGRATE_CRASH", "crashed (SIGSEGV)")
    bench.finish([10])


def case_shadow_only(rig, rng):
    bench = Bench(rig).start().until_working()
    found = shadowed(bench, "v2-same", "--shadow-only")
    expect(found["phase"] == "abandoned" and "has passed" in found["reason"], "no cut", found)
    bench.finish([10])


def begun(bench, to, *options):
    """A shadow that is at work, and the command that waits for it."""
    path = bench.rig.version(to)
    command = bench.rig.start(bench.folder, "swap", "run", *bench.where(), "subject", "--to",
                              path, "--shadow", "60s", *options, "--json")
    bench.until("it compares", lambda: bench.status().get("shadow", {}).get("report", {})
                .get("outputsEqual", 0) > 0)
    return command


def case_shadow_promoted(rig, rng):
    """A person lets it in before the time is up."""
    bench = Bench(rig).start().until_working()
    command = begun(bench, "v2-same")
    bench.ask("swap", "commit", *bench.where()).expect(0)
    expect(json.loads(command.wait().expect(0).output)["phase"] == "committed", "committed", "not")
    bench.until_swept()
    bench.finish([10], 2, timer_version=1)


def case_shadow_given_up(rig, rng):
    bench = Bench(rig).start().until_working()
    command = begun(bench, "v2-same")
    bench.ask("swap", "rollback", *bench.where()).expect(0)
    status = json.loads(command.wait().expect(1).output)
    expect(status["phase"] == "abandoned" and "on request" in status["reason"], "abandoned", status)
    bench.finish([10])


def case_shadow_killed(rig, rng):
    """The job is killed: no process of the shadow stays, and the old version goes on."""
    bench = Bench(rig).start().until_working()
    command = begun(bench, "v2-same")
    before = children(bench)
    expect(len(before) == 2, "a process for each subtask", before)
    bench.kill()
    command.wait()
    time.sleep(0.3)
    left = [number for number in before if pathlib.Path(f"/proc/{number}/cmdline").exists()
            and b"shadow" in pathlib.Path(f"/proc/{number}/cmdline").read_bytes()]
    expect(not left, "no process that stays", left)
    bench.start(feed=False)
    bench.until("it answers", lambda: bench.ask("job", "status", *bench.where()).status == 0)
    expect(bench.history()[-1]["outcome"] == "abandoned", "history", bench.history())
    bench.finish([10])


def case_shadow_stopped(rig, rng):
    """The job stops while there is a shadow."""
    bench = Bench(rig).start().until_working()
    command = begun(bench, "v2-same")
    bench.stop()
    command.wait()
    bench.finish([10], stop=False)


def same_lines(rig):
    """The second schema of what is not filed under keys, with the lines of the first."""
    return rig.subject("unkeyed-same", ["-DV=2", "-DCODE=10"], source="unkeyed.c")


def case_shadow_operator_state(rig, rng):
    """Operator state and a private snapshot are taken over in the shadow."""
    bench = KindBench(rig, "unkeyed", "counted").start().until_working()
    report = shadowed(bench, same_lines(rig))["shadow"]["report"]
    expect(report["onlyRunning"] == report["onlyNew"] == 0 and report["outputsEqual"] > 1000,
           "no differences", report)
    check_counts(bench.end(), [10])


def case_shadow_broadcast(rig, rng):
    """Rules that were there, and rules that come meanwhile."""
    bench, rules = ruled(rig)
    bench.start().until_working()
    with open(rules, "a") as file:
        file.write("".join(f'{{"rule":{n},"t":2}}\n' for n in range(21, 31)))
    report = shadowed(bench, same_lines(rig))["shadow"]["report"]
    expect(report["onlyRunning"] == report["onlyNew"] == 0 and report["outputsEqual"] > 1000,
           "no differences", report)
    bench.end()


def case_shadow_refused_for_calls(rig, rng):
    bench = KindBench(rig, "waiting", "waiting", key="k").start().until_working()
    bench.ask("swap", "run", *bench.where(), "subject", "--to", bench.version(2), "--shadow", "1s"
              ).expect(2, "makes asynchronous calls")


def case_shadow_refused_without_time(rig, rng):
    bench = Bench(rig).start().until_working()
    bench.swap("v2-same", "--shadow-only").expect(64, "--shadow TIME")
    bench.swap("v2-same", "--shadow", "soon").expect(64, "--shadow soon")
    bench.finish([10])
