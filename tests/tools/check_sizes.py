#!/usr/bin/env python3
"""The size ratchet: no file over 600 lines, no C++ function over 70, but for those that size_baseline.txt lists with the
size they have; a listed size may only shrink. `--update` writes smaller sizes into the list, never larger ones.
Reports the median file of src/, which should stay at 150 lines or less. Status 1 on a breach."""

import statistics
import sys
from pathlib import Path

import cpp_functions
import source_tree

FILE_MAX = 600
FUNCTION_MAX = 70
MEDIAN_MAX = 150
FOLDERS = ["src", "include", "tests", "bench", "examples", "web", "clients", "cmake", "scripts", "packaging"]
CPP = {".h", ".cc"}
SUFFIXES = CPP | {".py", ".mjs", ".js", ".ts", ".css", ".html", ".sh", ".cmake"}


def measure(root):
    """({key: size} of what is over its limit, [lines of each C++ file of src])."""
    over, src_sizes = {}, []
    for path in source_tree.files(root, FOLDERS, SUFFIXES):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(root).as_posix()
        lines = text.count("\n")
        if lines > FILE_MAX:
            over[f"file {name}"] = lines
        if path.suffix not in CPP:
            continue
        if name.startswith("src/"):
            src_sizes.append(lines)
        for function, _, length in cpp_functions.functions(text):
            if length > FUNCTION_MAX:
                over[f"function {name} {function}"] = length
    return over, src_sizes


def read_baseline(path):
    entries = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            key, _, size = line.rpartition(" ")
            entries[key] = int(size)
    return entries


def compare(over, baseline):
    """Breaches as lines."""
    sins = []
    for key, size in sorted(over.items()):
        limit = FILE_MAX if key.startswith("file ") else FUNCTION_MAX
        if key not in baseline:
            sins.append(f"{key}: {size} lines, the limit is {limit}: split it")
        elif size > baseline[key]:
            sins.append(f"{key}: grew from {baseline[key]} to {size} lines; a listed size may only shrink")
        elif size < baseline[key]:
            sins.append(f"{key}: shrank from {baseline[key]} to {size} lines: run tests/tools/check_sizes.py --update")
    for key in sorted(baseline.keys() - over.keys()):
        sins.append(f"{key}: is within the limit now or gone: run tests/tools/check_sizes.py --update")
    return sins


def update(path, over, baseline):
    """Keeps the comment lines; lowers or drops entries."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    lines += [f"{key} {min(size, over[key])}" for key, size in sorted(baseline.items()) if key in over]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    root = source_tree.ROOT
    path = Path(__file__).with_name("size_baseline.txt")
    over, src_sizes = measure(root)
    if "--update" in sys.argv[1:]:
        update(path, over, read_baseline(path))
    sins = compare(over, read_baseline(path))
    median = int(statistics.median(src_sizes)) if src_sizes else 0
    if median > MEDIAN_MAX:
        sins.append(f"the median file of src/ has {median} lines, the limit is {MEDIAN_MAX}")
    print("\n".join(sins))
    print(f"== sizes: {len(sins)} breaches; the median of {len(src_sizes)} files in src/ is {median} lines")
    return 1 if sins else 0


if __name__ == "__main__":
    sys.exit(main())
