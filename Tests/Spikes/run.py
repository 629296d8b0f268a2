#!/usr/bin/env python3
"""Runs the spikes: small programs that answer what the plugin ABI relies on and no document says.

    python3 Tests/Spikes/run.py            all of them
    python3 Tests/Spikes/run.py 1 9        some, by number

`make spikes` is the same. Figures and answers: docs/decisions/2026-11-28-abi-spikes.md. Needs g++ and
swiftc; a spike that needs rustc, libffi or a release build of apus and does not find it says so.
"""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GUARD = ROOT / "Sources/CApusGuard"
INCLUDES = ["-I", str(GUARD / "include"), "-I", str(ROOT / "sdk/c/include"), "-I", str(HERE)]
HIDDEN = ["-fvisibility=hidden", "-fvisibility-inlines-hidden"]
COPIES = 50


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False, **options)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def build(*command, **options):
    status, _, errors = run(*command, **options)
    if status:
        sys.exit(f"spikes: {' '.join(map(str, command))}\n{errors}")


def shared(place, source, to, *options):
    """Compiles a library from a source of this folder."""
    compiler = "g++" if source.endswith(".cpp") else "gcc"
    build(compiler, "-O2", "-fPIC", "-shared", HERE / source, "-o", place / to, *options)
    return place / to


def end(status):
    return f"exit {status}" if status >= 0 else signal.Signals(-status).name


def figures(output):
    """Lines of name, median and maximum, by name."""
    for line in output.splitlines():
        name, median, largest, *_ = line.split("\t")
        print(f"   {name}: median {float(median):.1f} ns, max {float(largest):.1f} ns (n = 21)")


def loader(place):
    build("gcc", "-O2", HERE / "loads.c", "-o", place / "loads", "-ldl")
    return place / "loads"


def unique(place):
    """1. Does an inline function's static belong to both of two RTLD_LOCAL copies?"""
    loads = loader(place)
    script = ROOT / "sdk/c/plugin.map"
    exported = place / "spike.map"
    exported.write_text(script.read_text().replace("apus_plugin_v0", "spike_value"))
    variants = {
        "g++": [],
        "g++ -fno-gnu-unique": ["-fno-gnu-unique"],
        "g++, hidden visibility": HIDDEN,
        "g++, version script": [f"-Wl,--version-script={exported}"],
    }
    for name, options in variants.items():
        first = shared(place, "unique.cpp", "first.so", *options)
        shutil.copy(first, place / "second.so")
        _, output, _ = run(loads, first, place / "second.so")
        marks = run("nm", "-D", first)[1]
        kind = "GNU_UNIQUE" if re.search(r" u ", marks) else "no GNU_UNIQUE"
        is_shared = "1:2" in output
        print(f"   {name}: {kind}, {'SHARED between the copies' if is_shared else 'separate'}")


def handles(place):
    """2. When does dlopen give the image that is there already?"""
    loads = loader(place)
    first = shared(place, "value.c", "plugin.so")
    os.link(first, place / "link.so")
    os.symlink(first, place / "symbolic.so")
    shutil.copy(first, place / "copy.so")
    for name in ("link.so", "symbolic.so", "copy.so"):
        output = run(loads, first, place / name)[1]
        print(f"   {name}: {'the old image' if '=' in output else 'a new image'}")
    named = shared(place, "value.c", "named.so", "-Wl,-soname,plugin.so.1")
    shutil.copy(named, place / "named2.so")
    output = run(loads, named, place / "named2.so")[1]
    print(f"   a copy with the same SONAME: {'the old image' if '=' in output else 'a new image'}")


def capture(place):
    """3. Which copy of a bundled library does the second version of a plugin get?"""
    loads = loader(place)
    for same, names in ((True, ("libdep.so.1", "libdep.so.1")),
                        (False, ("libdep.so.1", "libdep.so.2"))):
        plugins = []
        for version, name in zip((1, 2), names):
            folder = place / f"{'same' if same else 'own'}{version}"
            folder.mkdir()
            shared(folder, "value.c", name, f"-DDEPENDENCY={version}", f"-Wl,-soname,{name}")
            plugins.append(shared(folder, "value.c", "plugin.so", "-DDEPENDS", folder / name,
                                  "-Wl,-rpath,$ORIGIN"))
        output = run(loads, *plugins)[1]
        what = "the same SONAME" if same else "a SONAME of its own"
        got = "its own library" if "1:2" in output else "THE LIBRARY OF THE FIRST"
        print(f"   {what}: the second plugin gets {got}")


def guard_program(place):
    objects = []
    for source in (*sorted(GUARD.glob("*.cpp")), HERE / "misdeeds.cpp"):
        objects.append(place / (source.stem + ".o"))
        build("g++", "-std=c++17", "-O2", "-c", source, "-o", objects[-1], *INCLUDES)
    return objects


def swift(place, source, to, objects):
    importer = [part for pair in zip(["-Xcc"] * len(INCLUDES), INCLUDES) for part in pair]
    build("swiftc", "-O", "-swift-version", "5", "-import-objc-header", HERE / "bridge.h",
          *importer, HERE / source, *objects, "-o", place / to, "-lstdc++", "-ldl")
    return place / to


def exceptions(place):
    """4. What happens to what is thrown through the guard, with Swift above it?"""
    program = swift(place, "guard.swift", "guard", guard_program(place))
    environment = {**os.environ, "RUST_BACKTRACE": "0"}
    cases = [("throw", 200000), ("throw-int", 200000), ("pthread-exit", 1)]
    if shutil.which("rustc"):
        build("rustc", "--edition", "2021", "-O", "--crate-type", "cdylib", "-C", "panic=unwind",
              HERE / "panics.rs", "-o", place / "libpanics.so")
        environment["SPIKE_RUST"] = str(place / "libpanics.so")
        cases += [("panic", 1), ("panic-unwind", 1)]
    else:
        print("   no rustc: panics were not tried")
    for misdeed, times in cases:
        status, output, errors = run(program, misdeed, times, env=environment)
        report = [line for line in errors.splitlines() if line.strip()]
        said = output or " / ".join(report[-3:])
        print(f"   {misdeed}, {times} times: {end(status)}; {said}")


def overflow(place):
    """6. Does the crash report of a stack overflow on a thread come, with Swift above it?"""
    program = swift(place, "guard.swift", "guard", guard_program(place))
    for name, extra in (("with a signal stack", []), ("without", ["unprepared"])):
        status, _, errors = run(program, "recursion", 1, *extra)
        line = next((line for line in errors.splitlines() if "apus: crash" in line), "no report")
        print(f"   {name}: {end(status)}; {line}")


def prefetch(place):
    """8. What does value_mut_many gain over value_mut, with 10 M keys?"""
    apus = Path(os.environ.get("APUS", ROOT / ".build/release/apus"))
    library = apus.with_name("libbenchmark.so")
    if not apus.exists() or not library.exists():
        print("   no release build of apus (make build, or APUS=...): not measured")
        return
    source = next((ROOT / "Plugins/Benchmark").glob("*.c")).read_text()
    call = "ctx->state->value_mut_many(ctx, 0, first, n, counts, NULL)"
    if call not in source:
        sys.exit("spikes: the benchmark's plugin no longer calls value_mut_many as expected")
    single = ("APUS_OK;\n        for (uint32_t k = 0; rc == APUS_OK && k < n; k++) "
              "rc = ctx->state->value_mut(ctx, 0, first + k, &counts[k])")
    for name, text in (("value_mut_many", source), ("value_mut", source.replace(call, single))):
        folder = place / name
        folder.mkdir()
        shutil.copy(apus, folder / "apus")
        (folder / "plugin.c").write_text(text)
        build("gcc", "-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-I",
              ROOT / "sdk/c/include", folder / "plugin.c", "-o", folder / "libbenchmark.so")
    rates = {"value_mut_many": [], "value_mut": []}
    # In turn, so that what else the machine does meets both.
    for _ in range(3):
        for name, found in rates.items():
            status, output, errors = run(
                place / name / "apus", "bench", "keyed-count", "--keys", "10000000",
                "--parallelism", "1", "--seconds", "2")
            rate = re.search(r"([\d.]+) M records/s|([\d.]+) million records", output)
            if status or not rate:
                sys.exit(f"spikes: apus bench: {output}\n{errors}")
            found.append(float(rate.group(1) or rate.group(2)))
    for name, found in rates.items():
        print(f"   {name}: median {statistics.median(found):.1f} M records/s, "
              f"{min(found):.1f} to {max(found):.1f} (n = 3, each the median of 5 windows)")


def calls(place):
    """9. What do the guard, and calls between Swift and C, cost?"""
    figures(run(swift(place, "calls.swift", "calls", guard_program(place)))[1])


def foreign(place):
    """10. Which libffi is there, has it the plan API, and what does a call cost?"""
    status, version, _ = run("pkg-config", "--modversion", "libffi")
    if status:
        print("   no libffi (Debian: libffi-dev): not measured")
        return
    header = run("gcc", "-E", "-include", "ffi.h", "-x", "c", "/dev/null")[1]
    plan = ["-DFFI_PLAN_AVAILABLE"] if re.search(r"ffi_\w*plan", header) else []
    build("gcc", "-O2", HERE / "ffi.c", "-o", place / "ffi", *plan, "-lffi")
    output = run(place / "ffi")[1]
    print(f"   libffi {version}, plan API: {output.splitlines()[-1].split(chr(9))[1]}")
    figures("\n".join(output.splitlines()[:-1]))


def swaps(place):
    """11. What does each swap leave behind, when nothing is unloaded?"""
    build("gcc", "-O2", HERE / "swaps.c", "-o", place / "swaps", "-ldl")
    libraries = {
        "C": shared(place, "swapped.c", "c.so", *HIDDEN[:1], "-s"),
        "C++, libstdc++ shared": shared(place, "swapped.cpp", "cpp.so", *HIDDEN, "-s"),
        "C++, libstdc++ in it": shared(
            place, "swapped.cpp", "cpps.so", *HIDDEN, "-s", "-static-libstdc++", "-static-libgcc"),
    }
    if shutil.which("rustc"):
        build("rustc", "--edition", "2021", "-O", "--crate-type", "cdylib", "-C", "strip=symbols",
              HERE / "panics.rs", "-o", place / "rust.so")
        libraries["Rust"] = place / "rust.so"
    for name, options in (("Swift, runtime shared", []), ("Swift, runtime in it",
                                                          ["-static-stdlib"])):
        to = place / f"swift{len(options)}.so"
        build("swiftc", "-O", "-emit-library", "-parse-as-library", HERE / "swapped.swift",
              "-module-name", "Swapped", "-Xlinker", "-s", *options, "-o", to)
        libraries[name] = to
    for name, library in libraries.items():
        copies = []
        for number in range(COPIES):
            copies.append(place / f"copy-{number}.so")
            shutil.copy(library, copies[-1])
        _, output, errors = run(place / "swaps", *copies)
        lines = output.splitlines()
        loaded, size, resident, dirty = lines[-1].split("\t")
        failed = f"; stopped: {lines[0]}" if len(lines) > 1 else ""
        print(f"   {name}: file {library.stat().st_size // 1024} KiB; per copy {size} KiB of "
              f"addresses, {resident} KiB resident, {dirty} KiB private and dirty "
              f"(n = {loaded}){failed}{errors}")


def resume(place):
    """12. What does an operator pay for being stopped by more() and called again?"""
    objects = [path for path in guard_program(place)]
    build("g++", "-std=c++17", "-O2", HERE / "resume.cpp", *objects, *INCLUDES, "-o",
          place / "resume", "-ldl")
    rows = [line.split("\t") for line in run(place / "resume")[1].splitlines()]
    whole = float(rows[-1][2])
    for per_callback, callbacks, median, largest in rows:
        extra = (float(median) - whole) * (1 << 20) / int(callbacks)
        what = "never stopped" if callbacks == "1" else f"stopped every {per_callback}"
        cost = "" if callbacks == "1" else ", no more than never stopped"
        if extra > 0:
            cost = f", {extra:.0f} ns for each stop"
        print(f"   {what}: median {float(median):.2f} ns a record, max {float(largest):.2f}"
              f" (n = 21){cost}")


SPIKES = {1: unique, 2: handles, 3: capture, 4: exceptions, 6: overflow, 8: prefetch, 9: calls,
          10: foreign, 11: swaps, 12: resume}


def main():
    wanted = [int(word) for word in sys.argv[1:]] or list(SPIKES)
    unknown = [number for number in wanted if number not in SPIKES]
    if unknown:
        sys.exit(f"spikes: no number {unknown[0]}; expected {', '.join(map(str, SPIKES))}")
    for tool in ("g++", "swiftc"):
        if not shutil.which(tool):
            sys.exit(f"spikes: no {tool}")
    print(f"commit {run('git', '-C', ROOT, 'rev-parse', '--short', 'HEAD')[1]}, "
          f"{os.confstr('CS_GNU_LIBC_VERSION')}, g++ {run('g++', '-dumpfullversion')[1]}")
    for number in wanted:
        print(SPIKES[number].__doc__)
        with tempfile.TemporaryDirectory() as place:
            SPIKES[number](Path(place))


if __name__ == "__main__":
    main()
