#!/usr/bin/env python3
"""Builds the plugins of one version in the corpus, and records what they give.

    python3 Tests/Plugins/Corpus/rebuild.py 0.3             all languages of the version
    python3 Tests/Plugins/Corpus/rebuild.py 0.3 c           one of them
    python3 Tests/Plugins/Corpus/rebuild.py --record 0.3 c  only record, with the plugin as it is

Only for a version that is not released yet: the plugins of a released one are kept as they were
built, because that is what they are for. Needs x86-64, and `apus` in .build/debug or APUS.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CORPUS = Path(__file__).resolve().parent
ROOT = CORPUS.parents[2]
HEADERS = {"0.1": ROOT / "Tests/Plugins/Headers01", "0.2": ROOT / "Tests/Plugins/Headers02"}
SDK = Path(os.environ.get("SDK", ROOT / "sdk"))
NAMED = ("states", "timers", "counters", "broadcasts", "operatorStates", "histograms")
LINK = ["-shared", "-s", f"-Wl,--version-script={ROOT / 'sdk/c/plugin.map'}",
        "-Wl,-z,relro,-z,now,-z,noexecstack,-z,noseparate-code", "-Wl,--hash-style=gnu",
        "-Wl,--build-id=sha1"]


def build_c(folder, headers, to):
    subprocess.run(
        ["gcc", "-std=c11", "-Os", "-fPIC", "-fvisibility=hidden", "-fno-ident", "-Wall",
         "-Wextra", "-Werror", "-I", str(headers), str(folder / "corpus.c"), *LINK, "-o", str(to)],
        check=True)


def build_cpp(folder, headers, to):
    subprocess.run(
        ["g++", "-std=c++17", "-Os", "-fPIC", "-fvisibility=hidden", "-fvisibility-inlines-hidden",
         "-fno-gnu-unique", "-fno-ident", "-static-libgcc", "-static-libstdc++",
         "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections",
         "-I", str(headers), "-I", str(SDK / "cpp/include"), str(folder / "corpus.cpp"),
         *LINK, "-o", str(to)],
        check=True)


def build_rust(folder, headers, to):
    with tempfile.TemporaryDirectory() as place:
        library = Path(place, "libapus.rlib")
        options = ["--edition", "2021", "-C", "opt-level=z", "-C", "panic=unwind",
                   f"--remap-path-prefix={CORPUS}=corpus", f"--remap-path-prefix={SDK}=sdk"]
        subprocess.run(
            ["rustc", *options, "--crate-type", "rlib", "--crate-name", "apus",
             str(SDK / "rust/src/lib.rs"), "-o", str(library)],
            check=True)
        subprocess.run(
            ["rustc", *options, "--crate-type", "cdylib", "--extern", f"apus={library}",
             "-C", "strip=symbols", "-C", "lto=fat", "-C", "codegen-units=1",
             "-C", "link-arg=-Wl,--build-id=sha1", str(folder / "corpus.rs"), "-o", str(to)],
            check=True)


BUILDERS = {"c": build_c, "cpp": build_cpp, "rust": build_rust}


def program():
    path = os.environ.get("APUS") or str(ROOT / ".build/debug/apus")
    if not shutil.which(path):
        sys.exit(f"corpus: no {path}; build it, or set APUS")
    return path


def described(plugin):
    """What a plugin says of itself, as far as no version of `apus` may tell it otherwise."""
    text = subprocess.run([program(), "plugin", "describe", "--json", str(plugin)],
                          check=True, capture_output=True, text=True).stdout
    whole = json.loads(text)
    components = [
        {"id": each["id"],
         **{kind: [one["name"] if isinstance(one, dict) else one for one in each[kind]]
            for kind in NAMED if each.get(kind)}}
        for each in whole["components"]
    ]
    return {"abi": whole["abi"], "id": whole["id"], "version": whole["version"],
            "components": components}


def record(folder):
    """Runs the folder's job and writes what came out, sorted, beside it."""
    plugin = folder / "corpus.so"
    text = json.dumps(described(plugin), indent=1, sort_keys=True)
    (folder / "described.json").write_text(text + "\n")
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(
            [program(), "run", str(folder / "job.yaml"), "-p", "1"], cwd=place, check=True,
            env={**os.environ, "PLUGIN": str(plugin), "NUMBERS": str(CORPUS / "numbers.jsonl"),
                 "APUS_CACHE": str(Path(place, "cache"))})
        for old in folder.glob("out-*.jsonl"):
            old.unlink()
        for path in sorted(Path(place).glob("out-*.jsonl")):
            lines = sorted(path.read_text().splitlines())
            if "rejected" not in path.name:
                (folder / path.name).write_text("\n".join(lines) + "\n")
            elif lines:
                (folder / "rejected.txt").write_text(f"{len(lines)}\n")
    print(f"{folder.relative_to(ROOT)}: {plugin.stat().st_size} bytes, recorded")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version")
    parser.add_argument("language", nargs="?")
    parser.add_argument("--record", action="store_true", help="do not build")
    options = parser.parse_args()
    if platform.machine() != "x86_64":
        sys.exit("corpus: the plugins are for x86-64, this machine is not")
    if not re.fullmatch(r"0\.\d+", options.version):
        sys.exit(f"corpus: expected a version like 0.3, found {options.version}")
    folders = [CORPUS / options.version / language for language in BUILDERS
               if options.language in (None, language)]
    folders = [folder for folder in folders if folder.is_dir()]
    if not folders:
        sys.exit(f"corpus: nothing in {CORPUS / options.version}")
    for folder in folders:
        if not options.record:
            headers = HEADERS.get(options.version, ROOT / "sdk/c/include")
            BUILDERS[folder.name](folder, headers, folder / "corpus.so")
        record(folder)


if __name__ == "__main__":
    main()
