"""Rows 32 to 41: memory that is damaged, kept, or used up."""

import re
import resource

from rig import AT, CULPRIT, PAUSE, Job, Neighbour, blamed
from scenarios import crashes, fails, kills, survives

# When memory is damaged, whoever uses it next may be the one that crashes.
SUSPECTS = re.compile(
    "plugins in this process, any of which may have damaged memory before: plugin "
    "|" + re.escape(CULPRIT))
CRASH = kills("SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGTRAP")


# Rows 32 and 33

def row_32_null_pointer(rig):
    crashes(rig, "crash.cpp", "null-pointer", kills("SIGSEGV"),
            "SIGSEGV (access to memory that is not there)", "which used address 0x10",
            re.compile(r"content [0-9a-f]{32}"), re.compile(r"\d+ records in hand, from number"),
            "at plugin.so+0x", "stack: plugin.so+0x")


def row_32_null_pointer_in_create(rig):
    crashes(rig, "crash.cpp", "null-pointer", kills("SIGSEGV"), where="create")


def row_32_null_pointer_in_open(rig):
    crashes(rig, "crash.cpp", "null-pointer", kills("SIGSEGV"), where="open")


def row_32_null_pointer_in_close(rig):
    crashes(rig, "crash.cpp", "null-pointer", kills("SIGSEGV"), where="close")


def row_32_null_pointer_in_destroy(rig):
    crashes(rig, "crash.cpp", "null-pointer", kills("SIGSEGV"), where="destroy")


def row_32_call_of_nothing(rig):
    crashes(rig, "crash.cpp", "null-call", kills("SIGSEGV"), "in no file that is loaded")


def row_32_signal_from_outside(rig):
    crashes(rig, "crash.cpp", "term", kills("SIGSEGV"), "sent by process")


def row_33_recursion(rig):
    crashes(rig, "crash.cpp", "recursion", kills("SIGSEGV"), "SIGSEGV (stack overflow) in ")


def row_33_large_frame(rig):
    crashes(rig, "crash.cpp", "alloca", kills("SIGSEGV"), "SIGSEGV (stack overflow) in ")


# Rows 34 to 37

def row_34_heap_overflow(rig):
    crashes(rig, "memory.cpp", "heap", CRASH, blame=SUSPECTS)


def row_35_behind_the_arena(rig):
    fails(rig, "memory.cpp", "arena-overrun", "behind the end of output 0")


def row_35_far_behind_the_arena(rig):
    """Whatever lies there: told, or a crash that names all suspects."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("memory.cpp"), dict(act="arena-overrun-far", at=AT, pause=PAUSE))
    result = job.run()
    result.expect((1, *CRASH), SUSPECTS)
    neighbour.check()
    job.mend("a write far behind the arena")


def row_35_counts(rig):
    fails(rig, "memory.cpp", "count-overrun", "behind the end of output 0")
    fails(rig, "memory.cpp", "used-overrun", "behind the end of output 0", checkpoints=False)


def row_35_wild_view(rig):
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("memory.cpp"), dict(act="wild-view", at=AT, pause=PAUSE))
    result = job.run()
    result.expect((1, *CRASH), SUSPECTS)
    neighbour.check()
    job.mend("a view into nowhere")


def row_35_behind_a_value(rig):
    """Into the rows beside it, which nothing sees: the check does (F67)."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("memory.cpp"), dict(act="state-overrun", at=AT), checkpoints=False)
    job.run().expect((0, 1, *CRASH))
    neighbour.check()


def row_36_input_is_changed(rig):
    """Seen by the check alone (E53): here the output of that batch is what it makes of it."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("memory.cpp"), dict(act="write-input", at=AT), checkpoints=False)
    job.run().expect((0, 1))
    neighbour.check()


def row_37_double_free(rig):
    crashes(rig, "memory.cpp", "double-free", kills("SIGABRT"), "SIGABRT")


def row_37_free_of_host_memory(rig):
    crashes(rig, "memory.cpp", "free-of-host", CRASH, blame=SUSPECTS)


# Rows 38 to 41

def row_38_borrowed_pointer(rig):
    survives(rig, "memory.cpp", "keep-pointer")


def row_39_leak(rig):
    survives(rig, "memory.cpp", "leak")


def _limited():
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def row_40_bomb_of_new(rig):
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("memory.cpp"), dict(act="bomb", at=AT, pause=PAUSE))
    result = job.run(preexec=_limited)
    result.expect((1, *CRASH), blamed())
    if result.status == 1:
        result.expect(1, "std::bad_alloc")
    neighbour.check()
    job.mend("a lack of memory")


def row_40_bomb_of_malloc(rig):
    crashes(rig, "memory.cpp", "bomb-malloc", kills("SIGSEGV", "SIGABRT", "SIGKILL"),
            preexec=_limited)


def row_41_uninitialised_state(rig):
    """Not the host's to see: a checkpoint is as good as another. The check warns (F70)."""
    survives(rig, "memory.cpp", "uninitialised")
