"""Rows 21 to 31: plugins that break the contract without breaking the process."""

import re

from rig import AT, Failure, Job, Neighbour, blamed
from scenarios import fails, kills, refused, survives


def _spoilt(rig, change, *says, **more):
    plugin = rig.build("load.cpp", f"-DCHANGE={change}")
    refused(rig, plugin, *says, **more)


# Row 21

def row_21_entry_returns_null(rig):
    refused(rig, rig.build("load.cpp", "-DENTRY_NULL"), "returned NULL")


def row_21_entry_refuses(rig):
    refused(rig, rig.build("load.cpp", "-DENTRY_REFUSES"), "I do not like this host")


def row_21_entry_throws(rig):
    refused(rig, rig.build("load.cpp", "-DENTRY_THROWS"), "thrown by the entry")


def row_21_entry_returns_garbage(rig):
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("load.cpp", "-DENTRY_GARBAGE"), checkpoints=False, records=200)
    rig.run(job.folder, "plugin", "describe", "plugin.so").expect(2, "plugin.so", "crashed")
    job.run().expect((2, *kills("SIGSEGV")), "plugin.so")
    neighbour.check()


def row_21_size_0(rig):
    _spoilt(rig, "plugin.size = 0", "size", "0")


def row_21_size_7(rig):
    _spoilt(rig, "plugin.size = 7", "size", "7")


def row_21_size_huge(rig):
    _spoilt(rig, "plugin.size = UINT32_MAX", "size")


def row_21_component_size_huge(rig):
    _spoilt(rig, "component.size = UINT32_MAX", "size")


# Row 22

def row_22_description_changes(rig):
    """What it says in the scan is not what it says in the job: refused, or the job is right."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("load.cpp", "-DENTRY_CHANGES"), checkpoints=False, records=200)
    result = job.run()
    result.expect((0, 2))
    if result.status == 0:
        job.check_whole()
    neighbour.check()


# Row 23

def row_23_null_array(rig):
    _spoilt(rig, "component.outputs = nullptr", "output")


def row_23_null_components(rig):
    _spoilt(rig, "plugin.components = nullptr", "component")


def row_23_null_element(rig):
    _spoilt(rig, "components[0] = nullptr", "component")


def row_23_duplicate_ids(rig):
    _spoilt(rig, "static const apus_component *twice[] = {&component, &component}; "
            "plugin.components = twice; plugin.component_count = 2", "count")


def row_23_duplicate_states(rig):
    _spoilt(rig, "static const apus_state_decl *twice[] = {&count_state, &count_state}; "
            "component.states = twice; component.state_count = 2", "count")


def row_23_huge_name(rig):
    _spoilt(rig, "component.id = {huge.data(), huge.size()}", "id")


def row_23_huge_count(rig):
    _spoilt(rig, "plugin.component_count = UINT32_MAX", "component")


def row_23_not_utf8(rig):
    _spoilt(rig, "plugin.vendor = {\"\\xff\\xfe\", 2}", "UTF-8")


def row_23_null_text(rig):
    _spoilt(rig, "plugin.id = {nullptr, 10}", "id")


# Row 24

def row_24_no_process(rig):
    _spoilt(rig, "functions.process = nullptr", "process")


def row_24_no_create(rig):
    _spoilt(rig, "component.create = nullptr", "create")


def row_24_no_destroy(rig):
    _spoilt(rig, "component.destroy = nullptr", "destroy")


def row_24_no_functions(rig):
    _spoilt(rig, "component.vt = nullptr", "vt")


# Rows 25 to 28

def row_25_self_is_null(rig):
    """Legal: an instance that has nothing of its own."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("contract.cpp", "-DSELF_NULL"), checkpoints=False, records=2_000)
    job.run().expect(0)
    job.check_whole()
    neighbour.check()


def row_25_error_with_self(rig):
    """create fails but leaves an instance: destroy is not called for it."""
    marker = rig.folder / "destroyed-after-failure"
    job, _ = fails(rig, "contract.cpp", "fail-with-self", "I have changed my mind",
                   where="create", status=2, text=str(marker), restart=False)
    if marker.exists():
        raise Failure("destroy was called for an instance whose create has failed")


def row_26_unknown_codes(rig):
    fails(rig, "contract.cpp", "code-12345", "returned 12345", "not a result")
    fails(rig, "contract.cpp", "code--999", "returned -999", "not a result", checkpoints=False)


def row_27_record_behind_the_end(rig):
    fails(rig, "contract.cpp", "record-behind", re.compile("reported record .* of "))


def row_27_record_backwards(rig):
    fails(rig, "contract.cpp", "record-backwards", re.compile("reported record .* of "))


def row_27_yield_behind_the_end(rig):
    fails(rig, "contract.cpp", "yield-behind", re.compile("stopped at record .* of "))


def row_27_no_progress(rig):
    fails(rig, "contract.cpp", "yield-forever", "without progress")


def row_28_message_not_utf8(rig):
    fails(rig, "contract.cpp", "message-not-utf8", "a\ufffd")


def row_28_message_too_long(rig):
    fails(rig, "contract.cpp", "message-too-long", "xxxxxxxx")


def row_28_message_is_a_format(rig):
    fails(rig, "contract.cpp", "message-format", "%n%s%n%s%x %@ 100%")


def row_28_message_with_control_characters(rig):
    """What a terminal would obey must not reach it, nor may one line look like several."""
    _, result = fails(rig, "contract.cpp", "message-control", "before", "after")
    for line in result.errors.splitlines():
        if "\x1b" in line or "\x07" in line:
            raise Failure(f"a control character came through: {line!r}")
    if re.search(r"^error: all is well", result.errors, re.M):
        raise Failure("a message of the plugin looks like one of the host")


# Rows 29 to 31

def row_29_null_context(rig):
    survives(rig, "contract.cpp", "null-context")


def row_29_after_close(rig):
    """The context is kept, and used when the instance has been closed."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("contract.cpp"), dict(act="keep-context", at=AT, where="process"))
    result = job.run()
    result.expect((0, 1, *kills("SIGSEGV", "SIGABRT")))
    if result.status != 0:
        result.expect(result.status, blamed("close|destroy|process".split("|")[0]))
    job.check_part()
    neighbour.check()


def row_29_log_of_nobody(rig):
    survives(rig, "contract.cpp", "log-of-nobody")


def row_29_log_flood(rig):
    survives(rig, "contract.cpp", "log-flood", "more lines in that second were dropped",
             blame=False)


def row_30_own_thread(rig):
    """Its own thread uses the context: that may crash it, and is blamed; G77 of the check."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.build("contract.cpp"), dict(act="state-on-own-thread", at=AT,
                                                   pause=20_000))
    result = job.run()
    result.expect((0, 1, *kills("SIGSEGV", "SIGABRT", "SIGILL", "SIGTRAP")))
    neighbour.check()
    if result.status != 0:
        job.mend("state functions on a thread of the plugin's own")


def row_31_unknown_slots(rig):
    survives(rig, "contract.cpp", "unknown-slots")
