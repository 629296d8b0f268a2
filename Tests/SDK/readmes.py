#!/usr/bin/env python3
"""The quick starts of the SDKs' READMEs compile, are short, and their unit tests pass.

    readmes.py LANGUAGE...

For C, C++ and Rust; that of Swift is nearly the one in docs/plugins.md and the one that
`apus new operator` writes.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES_MAX = 60


def blocks(language, kind):
    text = (ROOT / "sdk" / language / "README.md").read_text("utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"readmes: {' '.join(map(str, command))} ended with {done.returncode}\n"
                 f"{done.stdout}\n{done.stderr}")


def check_c(folder):
    program, test = blocks("c", "c")[:2]
    (folder / "count.c").write_text(program, "utf-8")
    (folder / "count_test.c").write_text(test, "utf-8")
    run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-g", *INCLUDES, "count.c",
         "count_test.c", *HARNESS, "-o", "test"], folder)
    run(["./test"], folder)
    return program


def check_cpp(folder):
    program, test = blocks("cpp", "cpp")[:2]
    operator = program[:program.index("APUS_PLUGIN(")]
    (folder / "visits.cpp").write_text(program, "utf-8")
    (folder / "visits.hpp").write_text(operator, "utf-8")
    (folder / "visits_test.cpp").write_text(test, "utf-8")
    strict = ["c++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
              "-I", ROOT / "sdk/cpp/include", *INCLUDES]
    run([*strict, "-fsyntax-only", "visits.cpp"], folder)
    run(["cc", "-std=c11", *INCLUDES, "-c", *HARNESS], folder)
    objects = [path.name for path in folder.glob("test_*.o")]
    run([*strict, "visits_test.cpp", *objects, "-o", "test"], folder)
    run(["./test"], folder)
    return program


def check_rust(folder):
    manifest = blocks("rust", "toml")[0].replace("../apus/sdk/rust", str(ROOT / "sdk/rust"))
    program, test = blocks("rust", "rust")[:2]
    (folder / "src").mkdir()
    (folder / "Cargo.toml").write_text(manifest, "utf-8")
    (folder / "src/lib.rs").write_text(program + test, "utf-8")
    run(["cargo", "test", "--offline", "--quiet"], folder)
    return program


INCLUDES = ["-I", ROOT / "sdk/c/include", "-I", ROOT / "sdk/c/testing/include"]
HARNESS = sorted((ROOT / "sdk/c/testing").glob("*.c"))
CHECKS = {"c": check_c, "cpp": check_cpp, "rust": check_rust}


def main():
    os.environ.pop("CARGO_TARGET_DIR", None)
    for language in sys.argv[1:]:
        if language not in CHECKS:
            continue
        with tempfile.TemporaryDirectory() as name:
            program = CHECKS[language](pathlib.Path(name))
        count = len(program.splitlines())
        if count > LINES_MAX:
            sys.exit(f"readmes: the program of {language} has {count} lines, at most {LINES_MAX}")
        print(f"readmes: {language}: {count} lines, compiles, and its test passes", flush=True)


if __name__ == "__main__":
    main()
