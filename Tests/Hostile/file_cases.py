"""Rows 1 to 13: files that must be refused before anything of them runs."""

import json
import os
import random
import shutil
import struct
import subprocess

from elf import PT_DYNAMIC, PT_LOAD, Elf
from rig import Failure, Job, Neighbour, Skipped
from scenarios import check_marker, crashes, kills, refused

NOBODY = 65534


def _tripwire(rig, *options, **more):
    """A plugin whose constructor leaves a marker, and the marker's path."""
    marker = rig.folder / "constructor-ran"
    return rig.build("tripwire.cpp", f'-DMARKER="{marker}"', *options, **more), marker


def _changed(rig, change, *options):
    """The path of a changed copy of it, and the marker."""
    plugin, marker = _tripwire(rig, *options)
    elf = Elf(plugin)
    change(elf)
    return elf.save(rig.new_folder() / "plugin.so"), marker


def _check_tripwire(rig):
    """The marker appears when the constructor does run: or the cases would prove nothing."""
    marker = rig.new_folder() / "ran"  # its own: other cases must not see it
    plugin = rig.build("tripwire.cpp", f'-DMARKER="{marker}"')
    Job(rig, plugin, checkpoints=False, records=100).run().expect(0)
    if not marker.exists():
        raise Failure("the marker of a constructor that runs does not appear")


# Row 1

def row_01_missing(rig):
    refused(rig, rig.folder / "no-such-file.so", "no-such-file.so")


def row_01_directory(rig):
    _place(rig, lambda path: path.mkdir(), "directory")


def row_01_fifo(rig):
    _place(rig, os.mkfifo, "plugin.so")


def row_01_unreadable(rig):
    if os.geteuid() != 0:
        _place(rig, lambda path: (path.write_bytes(b"x"), path.chmod(0)), "ermission")
        return
    neighbour = Neighbour(rig)
    job = Job(rig, rig.good(), checkpoints=False, records=100)
    job.plugin.chmod(0o600)
    job.folder.chmod(0o777)

    def become_nobody():
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    result = job.run(preexec=become_nobody, limit=20)
    result.expect(2, "plugin.so", "ermission denied")
    neighbour.check()


def _place(rig, make, *says):
    neighbour = Neighbour(rig)
    job = Job(rig, rig.good(), checkpoints=False, records=100)
    job.plugin.unlink()
    make(job.plugin)
    for command in (("run", "job.yaml"), ("plugin", "describe", "plugin.so")):
        rig.run(job.folder, *command, limit=10).expect(2, "plugin.so", *says)
    rig.run(job.folder, "plugin", "inspect", "plugin.so", limit=10).expect(2, "plugin.so")
    neighbour.check()


# Row 2

def row_02_empty(rig):
    path = rig.new_folder() / "plugin.so"
    path.write_bytes(b"")
    refused(rig, path, "plugin.so", inspect="A1")


def row_02_text(rig):
    path = rig.new_folder() / "plugin.so"
    path.write_text("#!/bin/sh\necho I am a plugin\n" * 50)
    refused(rig, path, "plugin.so", inspect="A1")


def row_02_truncated(rig):
    """At each 4 KiB, at the end of the headers, and at a few bytes of chance."""
    _check_tripwire(rig)
    plugin, marker = _tripwire(rig)
    whole = plugin.read_bytes()
    chance = random.Random(f"{rig.seed} truncated")
    cuts = {*range(4096, len(whole), 4096), 16, 63, 64, 65, len(whole) - 1}
    cuts |= {chance.randrange(len(whole)) for _ in range(5)}
    job = Job(rig, plugin, checkpoints=False, records=100)
    neighbour = Neighbour(rig)
    for cut in sorted(cuts):
        job.plugin.write_bytes(whole[:cut])
        result = rig.run(job.folder, "plugin", "describe", "plugin.so")
        if result.status != 2:
            raise Failure(f"cut at {cut} of {len(whole)}: expected status 2, it {result.how}\n"
                          f"{result.tail}")
        check_marker(marker)
    job.run().expect(2)
    neighbour.check()


def row_02_segment_beyond_the_end(rig):
    def lie(elf):
        elf.put(elf.segment(PT_LOAD) + 0x20, "Q", 1 << 40)
    path, marker = _changed(rig, lie)
    refused(rig, path, "plugin.so", marker=marker, inspect="A2")


def row_02_dynamic_section_elsewhere(rig):
    def lie(elf):
        elf.put(elf.segment(PT_DYNAMIC) + 0x08, "Q", len(elf.bytes) * 16)
    path, marker = _changed(rig, lie)
    refused(rig, path, "plugin.so", marker=marker, inspect="A2")


def row_02_headers_elsewhere(rig):
    path, marker = _changed(rig, lambda elf: elf.put(0x20, "Q", len(elf.bytes) - 8))
    refused(rig, path, "plugin.so", marker=marker, inspect="A2")


def row_02_every_header_byte(rig):
    """Any byte of the headers: refused, or it does not matter; the job's process never crashes."""
    plugin, _ = _tripwire(rig)
    whole = plugin.read_bytes()
    chance = random.Random(f"{rig.seed} headers")
    job = Job(rig, plugin, checkpoints=False, records=100)
    neighbour = Neighbour(rig)
    for _ in range(24):
        at, bits = chance.randrange(0x10, 0x40 + 56 * 8), chance.randrange(1, 256)
        spoilt = bytearray(whole)
        spoilt[at] ^= bits
        job.plugin.write_bytes(spoilt)
        result = rig.run(job.folder, "plugin", "inspect", "plugin.so", limit=20)
        if result.status not in (0, 1, 2):
            raise Failure(f"byte {at} xor {bits}: it {result.how}\n{result.tail}")
    neighbour.check()


# Row 3

def row_03_other_processor(rig):
    other = 62 if Elf(rig.good()).get(0x12, "H") == 183 else 183
    path, marker = _changed(rig, lambda elf: elf.put(0x12, "H", other))
    refused(rig, path, "aarch64", "x86-64", marker=marker, inspect="A1")


def row_03_32_bits(rig):
    path, marker = _changed(rig, lambda elf: elf.put(4, "B", 1))
    refused(rig, path, "32", marker=marker, inspect="A1")


def row_03_big_endian(rig):
    path, marker = _changed(rig, lambda elf: elf.put(5, "B", 2))
    refused(rig, path, "ndian", marker=marker, inspect="A1")


def row_03_program(rig):
    path, marker = _changed(rig, lambda elf: elf.put(0x10, "H", 2))
    refused(rig, path, "plugin.so", "shared", marker=marker, inspect="A1")


def row_03_pie(rig):
    folder = rig.new_folder()
    (folder / "program.c").write_text("int main(void) { return 0; }\n")
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler or subprocess.run(
            [compiler, "-static-pie", "-fPIE", "program.c", "-o", "plugin.so"], cwd=folder,
            capture_output=True).returncode:
        raise Skipped("needs a compiler for static-pie")
    refused(rig, folder / "plugin.so", "plugin.so")


# Row 4

def row_04_plain_library(rig):
    path = rig.build("extern \"C\" __attribute__((visibility(\"default\")))\n"
                     "double twice(double x) { return 2 * x; }\n")
    refused(rig, path, "not an Apus plugin", inspect="A4")


def row_04_no_note(rig):
    """Plugins of 0.1 and 0.2 have none; one that says 0.3 must have it."""
    path, marker = _changed(rig, lambda elf: elf.bytes.__setitem__(
        slice(elf.note() - 8, elf.note() - 3), b"Sausa"[:5]))
    neighbour = Neighbour(rig)
    job = Job(rig, path, checkpoints=False, records=100)
    rig.run(job.folder, "plugin", "inspect", "plugin.so").expect((0, 1, 2), "A3")
    neighbour.check()


# Row 5

def row_05_other_major_in_note(rig):
    path, marker = _changed(rig, lambda elf: elf.put(elf.note() + 4, "H", 2))
    refused(rig, path, "ABI", marker=marker, inspect="A3")


def row_05_other_major_in_name(rig):
    path = rig.build("#define OWN_ENTRY\n#define GOOD\n#include \"base.h\"\n"
                     "namespace { int32_t misbehave(Call &) { return 0; } }\n"
                     "APUS_EXPORT const void *apus_plugin_v2() { return &plugin; }\n")
    refused(rig, path, "major 2", "major 0", inspect="A4")


def row_05_floor_above_host(rig):
    path, marker = _changed(rig, lambda elf: elf.put(elf.note() + 8, "H", 99))
    refused(rig, path, "99", marker=marker, inspect="A3")


def row_05_unknown_layout(rig):
    path, marker = _changed(rig, lambda elf: elf.put(elf.note() + 20, "Q", 0x1234567890))
    refused(rig, path, "layout", marker=marker, inspect="A3")


# Row 6

def row_06_entry_missing(rig):
    marker = rig.folder / "entry-missing"
    path = rig.build("tripwire.cpp", "-DOWN_ENTRY", f'-DMARKER="{marker}"')
    refused(rig, path, "apus_plugin_v0", marker=marker, inspect="A4")


def row_06_entry_is_data(rig):
    marker = rig.folder / "entry-data"
    path = rig.build("tripwire.cpp", "-DOWN_ENTRY", "-DENTRY_DATA", f'-DMARKER="{marker}"')
    refused(rig, path, "apus_plugin_v0", marker=marker, inspect="A4")


# Row 7

def row_07_exports_of_libc(rig):
    plugin, marker = _tripwire(rig, "-DEXPORTS")
    refused(rig, plugin, "open", marker=marker, inspect="A4")


# Row 8

def row_08_missing_library(rig):
    folder = rig.new_folder()
    (folder / "other.c").write_text("int other(void) { return 1; }\n")
    rig.compile(folder / "other.c", folder / "libother-of-nobody.so",
                ["-fvisibility=default", "-Wl,-soname,libother-of-nobody.so"])
    path = rig.build("tripwire.cpp", "-DNEEDS_OTHER", '-DMARKER="/dev/null"',
                     links=[folder / "libother-of-nobody.so"], name="libneedy.so")
    refused(rig, path, "libother-of-nobody.so")


def row_08_missing_symbol(rig):
    path = rig.build("tripwire.cpp", "-DNEEDS_OTHER", '-DMARKER="/dev/null"')
    refused(rig, path, "other")


def row_08_newer_libc(rig):
    """A symbol of GLIBC_2.99, linked against a stand-in for the C library that has it."""
    folder = rig.new_folder()
    (folder / "libc.c").write_text("int of_tomorrow(void) { return 1; }\n")
    (folder / "libc.map").write_text("GLIBC_2.99 { global: of_tomorrow; local: *; };\n")
    rig.compile(folder / "libc.c", folder / "libc.so.6",
                ["-fvisibility=default", f"-Wl,--version-script={folder / 'libc.map'}",
                 "-Wl,-soname,libc.so.6", "-nostdlib"])
    marker = rig.folder / "newer-libc"
    path = rig.build("tripwire.cpp", "-DNEEDS_TOMORROW", f'-DMARKER="{marker}"',
                     links=[folder / "libc.so.6"], name="libtomorrow.so")
    refused(rig, path, "2.99", marker=marker, inspect="A8")


# Rows 9 and 10

def row_09_unique_objects(rig):
    """Two versions in a process would share it. Told; and the job, which has one, is right."""
    if not shutil.which("g++"):
        raise Skipped("needs g++, which makes STB_GNU_UNIQUE")
    path = rig.build("tripwire.cpp", "-DUNIQUE", '-DMARKER="/dev/null"', "-fvisibility=default",
                     "-fgnu-unique", compiler="g++")
    neighbour = Neighbour(rig)
    job = Job(rig, path, checkpoints=False, records=500)
    rig.run(job.folder, "plugin", "inspect", "plugin.so").expect((0, 1, 2), "A5")
    neighbour.check()


def row_10_static_tls(rig):
    plugin, marker = _tripwire(rig, "-DSTATIC_TLS", "-ftls-model=initial-exec")
    refused(rig, plugin, "thread-local", marker=marker, inspect="A6")


def row_10_many_copies(rig):
    """So many plugins with thread-local variables that the room of the process is used up."""
    neighbour = Neighbour(rig)
    job = Job(rig, rig.good(), checkpoints=False, records=200)
    operators, sinks = [], []
    previous = "records"
    for index in range(20):
        plugin = rig.build("tripwire.cpp", "-DTLS=40", "-ftls-model=initial-exec",
                           '-DMARKER="/dev/null"', f'-DSALT={index}')
        operators.append(f"    - {{ id: o{index}, plugin: \"{plugin}\", input: {previous}, "
                         f"key: k }}\n")
        previous = f"o{index}"
    text = (job.folder / "job.yaml").read_text()
    head, _ = text.split("  operators:\n")
    (job.folder / "job.yaml").write_text(
        head + "  operators:\n" + "".join(operators)
        + f"  sinks:\n    - {{ id: out, plugin: stdout, input: {previous} }}\n")
    result = job.run()
    # Either there is room, or the reason is told, with the file; never a crash.
    result.expect((0, 2))
    if result.status == 2:
        result.expect(2, "static TLS", "libhostile.so")
    neighbour.check()


# Row 11

def row_11_copy_is_damaged(rig):
    """Somebody changes the private copy: it is made again, or refused, never run."""
    plugin, marker = _tripwire(rig)
    job = Job(rig, rig.good(), checkpoints=False, records=500)
    job.run().expect(0)
    job.output.unlink()
    copies = [path for path in (job.folder / "cache").rglob("*") if path.is_file()]
    copies = [path for path in copies if path.read_bytes()[:4] == b"\x7fELF"]
    if not copies:
        raise Failure("found no private copy of the plugin")
    evil = plugin.read_bytes()
    for copy in copies:
        copy.chmod(0o700)
        copy.write_bytes(evil)
    if marker.exists():
        marker.unlink()
    result = job.run()
    if result.status == 0:
        job.check_whole()
    check_marker(marker)


def row_11_copy_is_a_link(rig):
    """Somebody has put a link where the copy goes: his file is not touched, nor run."""
    plugin, marker = _tripwire(rig)
    job = Job(rig, rig.good(), checkpoints=False, records=500)
    job.run().expect(0)
    job.output.unlink()
    target = job.folder / "victim.so"
    shutil.copyfile(plugin, target)
    before = target.read_bytes()
    for copy in list((job.folder / "cache").rglob("*.so")):
        copy.unlink()
        copy.symlink_to(target)
    if marker.exists():
        marker.unlink()
    result = job.run()
    if result.status == 0:
        job.check_whole()
    if target.read_bytes() != before:
        raise Failure("the file behind the link was overwritten")
    check_marker(marker)


# Row 12

def _locked(rig, change, *says, is_other=False, is_signed=False):
    """A job with a list of the plugins that may be loaded; `change` spoils the list."""
    marker = rig.new_folder() / "ran"  # its own: it does run before the list is spoilt
    listed = rig.build("tripwire.cpp", f'-DMARKER="{marker}"')
    neighbour = Neighbour(rig)
    job = Job(rig, listed, checkpoints=False, records=200)
    signing = []
    if is_signed:
        rig.run(job.folder, "plugin", "keygen", "--to", "release.key").expect(0)
        signing = ["--sign", "release.key"]
    rig.run(job.folder, "plugin", "lock", "plugin.so", "--to", "plugins.lock",
            *signing).expect(0)
    job.run().expect(0)
    job.output.unlink()
    path = job.folder / "plugins.lock"
    lock = json.loads(path.read_text())
    change(lock)
    path.write_text(json.dumps(lock))
    if is_other:
        job.use(rig.build("tripwire.cpp", f'-DMARKER="{marker}"', "-DSALT=12"))
    if marker.exists():
        marker.unlink()
    job.run().expect(2, "plugin.so", *says)
    check_marker(marker)
    if job.output.exists():
        raise Failure("the job has written output although its plugin was refused")
    neighbour.check()


def row_12_not_on_the_list(rig):
    _locked(rig, lambda lock: None, "plugins.lock", is_other=True)


def row_12_revoked(rig):
    def revoke(lock):
        lock["plugins"][0]["revoked"] = "it eats children"
    _locked(rig, revoke, "it eats children")


def row_12_bad_signature(rig):
    def forge(lock):
        value = lock["plugins"][0]["signature"]["value"]
        lock["plugins"][0]["signature"]["value"] = ("A" if value[0] != "A" else "B") + value[1:]
    _locked(rig, forge, "signature", is_signed=True)


def row_12_not_signed(rig):
    def strip(lock):
        del lock["plugins"][0]["signature"]
    _locked(rig, strip, "sign", is_signed=True)


# Row 13

def row_13_newer_processor(rig):
    """The property of the file says that it needs a processor that nobody has."""
    folder = rig.new_folder()
    marker = folder / "newer-processor"
    (folder / "isa.s").write_text(
        '.section .note.gnu.property,"a"\n.p2align 3\n.long 4\n.long 1f-0f\n.long 5\n'
        '.asciz "GNU"\n0:\n.long 0xc0008002\n.long 4\n.long 0x8\n.long 0\n1:\n'
        '.section .note.GNU-stack,"",@progbits\n')
    if not shutil.which("gcc") or subprocess.run(
            ["gcc", "-c", "isa.s", "-o", "isa.o"], cwd=folder, capture_output=True).returncode:
        raise Skipped("needs an assembler for x86-64")
    path = rig.build("tripwire.cpp", f'-DMARKER="{marker}"', links=[folder / "isa.o"])
    with open("/proc/cpuinfo") as text:
        has_it = "avx512f" in text.read()
    if has_it:
        # This machine has AVX-512: change the level to one that does not exist yet.
        elf = Elf(path)
        at = elf.bytes.find(struct.pack("<III", 0xc0008002, 4, 8))
        if at < 0:
            raise Skipped("the linker drops the property")
        elf.put(at + 8, "I", 0x10)
        path = elf.save(folder / "plugin.so")
    neighbour = Neighbour(rig)
    job = Job(rig, path, checkpoints=False, records=100)
    result = rig.run(job.folder, "plugin", "inspect", "plugin.so")
    result.expect((0, 1, 2), "A11")
    neighbour.check()


def row_13_illegal_instruction(rig):
    crashes(rig, "crash.cpp", "illegal", kills("SIGILL"),
            "illegal instruction: built for another CPU?", "at plugin.so+0x")
