#!/usr/bin/env python3
"""Every header compiles alone, twice in one file, and opens with a comment. A header with `#pragma once` that its own source
file includes before anything else is left to the build, which compiles it so. Results are kept under build/headers by the
content of the header and all it includes, so a second run compiles only what changed. Status 1 when a header fails."""

import concurrent.futures
import os
import re
import subprocess
import sys
from pathlib import Path

import source_tree

FLAGS = ["-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wnon-virtual-dtor", "-Werror"]


def built_alone(root, header):
    """Whether the build compiles it alone."""
    source = header.with_suffix(".cc")
    if not source.exists() or "\n#pragma once\n" not in header.read_text(encoding="utf-8"):
        return False
    first = re.search(r'^#include ["<]([^">]+)[">]', source.read_text(encoding="utf-8"), re.MULTILINE)
    return first is not None and first.group(1) == header.relative_to(root / "src").as_posix()


def compile_alone(root, compiler, header):
    """The compiler's complaints about a file that includes only this header; empty when there are none."""
    base = root / ("include" if "include" in header.relative_to(root).parts[:1] else "src")
    name = header.relative_to(base).as_posix()
    # Through standard input, because `#pragma once` in a main file is a warning of its own.
    command = [compiler, *FLAGS, f"-I{root / 'src'}", f"-I{root / 'include'}", "-x", "c++", "-"]
    text = f'#include "{name}"\n#include "{name}"\n'
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def check_header(root, compiler, version, cache, header):
    """(header, complaint or empty)."""
    if not header.read_text(encoding="utf-8").lstrip().startswith(("//", "/*")):
        return header, f"{header.relative_to(root)}:1: a header opens with a comment on its purpose, owner and bounds\n"
    if built_alone(root, header):
        return header, ""
    stamp = cache / source_tree.digest(root, header, version, " ".join(FLAGS))
    if stamp.exists():
        return header, ""
    result = compile_alone(root, compiler, header)
    if result.returncode == 0:
        stamp.touch()
        return header, ""
    return header, result.stderr


def check(root, cache):
    """(number of headers, complaints)."""
    compiler = os.environ.get("CXX", "g++")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    cache.mkdir(parents=True, exist_ok=True)
    headers = source_tree.files(root, ["src", "include"], {".h"})
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = pool.map(lambda h: check_header(root, compiler, version, cache, h), headers)
        return len(headers), [text for _, text in results if text]


def main():
    root = source_tree.ROOT
    count, complaints = check(root, root / "build" / "headers")
    print("".join(complaints), end="")
    print(f"== headers: {count - len(complaints)} of {count} in order")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
