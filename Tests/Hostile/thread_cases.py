"""Rows 61 to 66: asynchronous calls, and threads of the plugins' own."""

import collections
import re

from rig import Job, Neighbour
from scenarios import crashes, kills, survives

RECORDS, AT = 6_000, 3_000


def _asynchronous(rig, act, *says, status=0, options="", at=AT, restart=False):
    """A job whose answers are its records."""
    neighbour = Neighbour(rig)
    plugin = rig.build("async.cpp", links=["-lpthread"])
    job = Job(rig, plugin, dict(act=act, at=at), records=RECORDS)
    path = job.folder / "job.yaml"
    text = path.read_text()
    path.write_text(text.replace(
        "      key: k\n",
        f"      key: k\n      async: {{ capacity: 64, timeout: 1s{options} }}\n"))
    job.expected = collections.Counter(job.input.read_text().splitlines())
    result = job.run()
    result.expect(status, *says, but_not=("apus: crash: ",))
    if status == 0:
        job.check_whole()
    else:
        job.check_part()
    neighbour.check()
    return job


def row_61_never_completes(rig):
    _asynchronous(rig, "never", "count", re.compile("timed out|time-out|timeout", re.I), status=1,
                  options=", on-failure: fail")


def row_61_completes_twice(rig):
    _asynchronous(rig, "twice")


def row_61_completes_late(rig):
    """Behind the time-out: the answer is stale; the record was begun again by then."""
    _asynchronous(rig, "late", options=", retries: 3", at=AT)


def row_61_forged_tokens(rig):
    _asynchronous(rig, "forged")


def row_61_completes_after_close(rig):
    _asynchronous(rig, "after-close")


def row_61_completes_from_64_threads(rig):
    _asynchronous(rig, "crowd")


def row_62_completes_at_once(rig):
    _asynchronous(rig, "at-once")


def row_63_thread_outlives_close(rig):
    survives(rig, "threads.cpp", "log-for-ever", links=["-lpthread"])


def row_64_thread_uses_freed_instance(rig):
    """Memory that is gone for good, so that it does crash: blamed on the plugin's thread."""
    crashes(rig, "memory.cpp", "own-thread", kills("SIGSEGV"), "on a thread that is not the host's",
            blame=re.compile(r"the code is that of plugin \S*plugin\.so"))


def row_64_thread_throws(rig):
    crashes(rig, "threads.cpp", "throw", kills("SIGABRT"), links=["-lpthread"],
            blame=re.compile(r"plugin \S*plugin\.so"))


def row_65_busy_threads(rig):
    survives(rig, "threads.cpp", "busy", links=["-lpthread"])


def row_66_post_flood(rig):
    _asynchronous(rig, "flood")
