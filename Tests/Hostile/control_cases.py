"""Rows 42 to 54: plugins that leave their callback by another door, or do not leave it."""

import os
import platform
import re
import shutil
import signal
import subprocess
import time

from rig import AT, PLUGINS, Failure, Job, Neighbour, Skipped
from scenarios import crashes, fails, kills, survives

# The process ends with this status when a plugin ended it, or did not return.
PLUGIN = 3
SOON = "  plugins: { call-timeout: 1s, call-warning: 300ms }\n"


# Exceptions

def row_42_throw_in_process(rig):
    fails(rig, "crash.cpp", "throw", "threw an exception: the process is on fire")


def row_42_throw_int(rig):
    fails(rig, "crash.cpp", "throw-int", "threw an exception: something that is not")


def row_42_throw_in_create(rig):
    fails(rig, "crash.cpp", "throw", "threw an exception", where="create", status=2)


def row_42_throw_in_open(rig):
    fails(rig, "crash.cpp", "throw", "threw an exception", where="open")


def row_42_throw_in_close(rig):
    fails(rig, "crash.cpp", "throw", "threw an exception", where="close")


def row_42_throw_in_destroy(rig):
    # The output is complete by then; destroy cannot fail, and what it throws goes nowhere.
    survives(rig, "crash.cpp", "throw", where="destroy")


def row_42_throw_in_destructor(rig):
    crashes(rig, "crash.cpp", "throw-in-destructor", kills("SIGABRT"), "SIGABRT", "stack: ")


def row_42_pthread_exit(rig):
    crashes(rig, "crash.cpp", "pthread_exit", kills("SIGABRT"), "because of pthread_exit()")


def row_43_terminate(rig):
    crashes(rig, "crash.cpp", "terminate", kills("SIGABRT"), "SIGABRT")


def row_43_rust_panic(rig):
    rustc = shutil.which("rustc")
    if not rustc:
        raise Skipped("needs rustc")
    library = rig.new_folder() / "libpanic.a"
    made = subprocess.run(
        [rustc, "--crate-type", "staticlib", "-O", PLUGINS / "panic.rs", "-o", library],
        capture_output=True, text=True)
    if made.returncode:
        raise Failure(f"cannot compile panic.rs: {made.stderr[-400:]}")
    crashes(rig, "crash.cpp", "rust-panic", kills("SIGABRT"), "index out of bounds", "SIGABRT",
            options=["-DRUST"], links=[library, "-lpthread", "-ldl"])


def row_44_trap(rig):
    crashes(rig, "crash.cpp", "trap", kills("SIGILL", "SIGTRAP"), "a trap")


def row_44_division_by_zero(rig):
    crashes(rig, "crash.cpp", "divide", kills("SIGFPE"), "SIGFPE (integer division by zero")


# Leaving through the host's frames

def row_45_longjmp(rig):
    if platform.machine() != "x86_64":
        raise Skipped("jumps with registers of x86-64")
    fails(rig, "crash.cpp", "jump-over-guard",
          "has not come back to the host: it left by longjmp")


# Ending the process

def row_46_exit(rig):
    crashes(rig, "crash.cpp", "exit", PLUGIN, "exit() was called", "with status 0, from ")


def row_46_exit_in_create(rig):
    crashes(rig, "crash.cpp", "exit", PLUGIN, "exit() was called", where="create")


def row_46_underscore_exit(rig):
    crashes(rig, "crash.cpp", "_exit", PLUGIN, "_exit() was called")


def row_46_quick_exit(rig):
    crashes(rig, "crash.cpp", "quick_exit", PLUGIN, "quick_exit() was called")


def row_46_exit_on_own_thread(rig):
    crashes(rig, "crash.cpp", "exit-on-own-thread", PLUGIN, "on a thread of its own",
            blame=re.compile(r"exit\(\) was called in plugin \S*plugin\.so"))


def row_46_exit_by_system_call(rig):
    # Nothing in the process can see it; so what tells success is the summary, not the status.
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("crash.cpp"), dict(act="exit-by-system-call", at=AT, pause=20_000))
    result = job.run("--json")
    if "job 'hostile': finished" in result.errors or result.output.strip():
        raise Failure(f"a summary without success\n{result.tail}")
    neighbour.check()
    job.mend("the system call exit_group(0)")


def row_46_abort(rig):
    crashes(rig, "crash.cpp", "abort", kills("SIGABRT"), "plugins in this process, any of which")


def row_46_kill(rig):
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("crash.cpp"), dict(act="kill", at=AT, pause=20_000))
    job.run().expect(-signal.SIGKILL, but_not=("finished",))
    neighbour.check()
    job.mend("SIGKILL")


def row_47_atexit(rig):
    """The job has succeeded by then: what would run at the exit could only do harm."""
    job, _ = survives(rig, "process.cpp", "atexit", marker="at-exit")
    if (job.folder / "at-exit").exists():
        raise Failure("what the plugin has registered for the exit has run")


def row_47_crash_at_exit(rig):
    survives(rig, "process.cpp", "crash-at-exit")


def row_47_hang_at_exit(rig):
    survives(rig, "process.cpp", "hang-at-exit")


# Not coming back

def hangs(rig, act, *says, spec=SOON, **more):
    crashes(rig, "crash.cpp", act, PLUGIN, "hung for 1.", "warning: plugin test.hostile 6.6.6",
            "process: has not returned for 0.", "is asked to stop", "spec.plugins.call-timeout",
            *says, spec=spec, **more)


def row_48_loop(rig):
    hangs(rig, "loop", "it is computing", "stack: plugin.so+0x")


def row_48_sleep(rig):
    hangs(rig, "sleep", "waits in the system call clock_nanosleep")


def row_48_deadlock(rig):
    hangs(rig, "deadlock", "waits in the system call futex")


def row_48_blocked_read(rig):
    hangs(rig, "pipe", "waits in the system call read")


def row_48_loop_in_create(rig):
    crashes(rig, "crash.cpp", "loop", PLUGIN, "hung for 1.", spec=SOON, where="create")


def row_48_loop_in_close(rig):
    crashes(rig, "crash.cpp", "loop", PLUGIN, "hung for 1.", spec=SOON, where="close")


def row_48_returns_when_asked(rig):
    survives(rig, "process.cpp", "until-stopped", "is asked to stop", spec=SOON)


def row_49_slow(rig):
    # Slower than the warning, faster than the time-out: told, and left alone.
    survives(rig, "process.cpp", "slow", "has not returned for 0.", spec=SOON,
             but_not=("is asked to stop",))


# Doubling the process

def row_50_fork_and_return(rig):
    survives(rig, "crash.cpp", "fork-and-return", "called fork()",
             "a copy of the process that was made by fork()")


def row_50_fork_and_exit(rig):
    survives(rig, "crash.cpp", "fork-and-exit", "called fork()")


def row_50_fork_and_crash(rig):
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("crash.cpp"), dict(act="fork-and-crash", at=AT, pause=20_000))
    job.run().expect(0, "called fork()")
    job.check_whole()
    neighbour.check()


def _wait_for_group(group):
    """Until the copies have died with the process, which takes the system a moment."""
    for _ in range(2000):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.005)
    raise Failure("a copy of the process lives on")


def row_50_copy_does_not_keep_locks(rig):
    """A copy that stays behind must not keep the job from being started again."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("process.cpp"), dict(act="fork-and-stay", at=AT, pause=20_000))
    running = job.start()
    result = running.child.wait(30)
    if result != -signal.SIGKILL:
        raise Failure(f"expected SIGKILL of the plugin's own, found status {result}")
    _wait_for_group(running.child.pid)
    neighbour.check()
    job.mend("a kill with a copy left")
    running.wait(1)


# Coming in again

def row_51_calls_itself(rig):
    survives(rig, "process.cpp", "call-own-functions")


def row_52_dlclose_itself(rig):
    survives(rig, "process.cpp", "dlclose", "called dlclose() on plugin", "it stays")


def row_52_global_library(rig):
    survives(rig, "process.cpp", "dlopen-global")


# What belongs to the process

def row_53_handlers(rig):
    # Whoever takes the handlers is told, and a crash after that is still reported.
    crashes(rig, "process.cpp", "take-handlers-and-crash", kills("SIGSEGV"),
            "changed the handler of SIGSEGV", "it was put back")


def row_53_handlers_later(rig):
    survives(rig, "process.cpp", "take-handlers", "changed the handler of SIGSEGV",
             re.compile(r"a plugin \(loaded are plugin \S*plugin\.so\)|" + "test.hostile"),
             blame=False, wait=2_500)


def row_53_signal_mask(rig):
    survives(rig, "process.cpp", "block-signals", "blocked signals on the host's thread",
             where="open")


def row_53_rounding(rig):
    survives(rig, "process.cpp", "round-up", "changed the floating-point mode")


def row_53_flush_denormals(rig):
    survives(rig, "process.cpp", "flush-denormals", "changed the floating-point mode")


def row_53_locale(rig):
    survives(rig, "process.cpp", "locale", "changed the locale of the process", where="open")


def row_53_folder(rig):
    survives(rig, "process.cpp", "chdir", "changed the working directory", where="open")


def row_53_umask(rig):
    survives(rig, "process.cpp", "umask", "changed the umask", where="create")


def row_53_limits(rig):
    survives(rig, "process.cpp", "rlimit", "changed the limit for the number of open files",
             where="open")


def row_53_close_files(rig):
    """The job fails and says which file; or its standard error is gone, too."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("process.cpp"), dict(act="close-files", at=AT, pause=20_000))
    result = job.run()
    if result.status == 0:
        raise Failure("a job without files has succeeded")
    neighbour.check()
    job.mend("closed files")


def row_54_network(rig):
    # There is no profile yet that would deny it: the plugin is native code, as the README says.
    survives(rig, "process.cpp", "network")
