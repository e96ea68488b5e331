#!/usr/bin/env python3
"""clang-tidy-19 over src/. A clean result is kept under build/tidy by the content of the file, of all project headers it
includes, of .clang-tidy and of the options, so a second run looks only at what changed.
run_tidy.py [FILE…]; status 1 when there is a finding or the tool is missing."""

import concurrent.futures
import os
import shutil
import subprocess
import sys
from pathlib import Path

import source_tree

TOOL = "clang-tidy-19"
# The same for every file: all foreign headers stand in /usr/include. SPDLOG_* as Debian's package wants it.
OPTIONS = ["-std=c++23", "-DSPDLOG_SHARED_LIB", "-DSPDLOG_COMPILED_LIB", "-DSPDLOG_FMT_EXTERNAL"]
# What CMakeLists.txt defines for single files; the values do not matter here.
OPTIONS += ['-DKILAT_VERSION="0"', '-DKILAT_BUILD_TYPE="tidy"', "-DKILAT_WEB=1"]


def tidy(root, file, cache, context):
    """(file, output of a failed run or empty)."""
    stamp = cache / source_tree.digest(root, file, *context)
    if stamp.exists():
        return file, ""
    command = [TOOL, "--quiet", f"--config-file={root / '.clang-tidy'}", str(file)]
    command += ["--", *OPTIONS, f"-I{root / 'src'}", f"-I{root / 'include'}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    if result.returncode == 0:
        stamp.touch()
        return file, ""
    return file, result.stdout + "\n".join(line for line in result.stderr.splitlines() if "error:" in line)


def main():
    root = source_tree.ROOT
    if not shutil.which(TOOL):
        print(f"{TOOL} is missing: apt-get install clang-tidy-19")
        return 1
    version = subprocess.run([TOOL, "--version"], capture_output=True, text=True, check=True).stdout
    context = [version, (root / ".clang-tidy").read_text(encoding="utf-8"), " ".join(OPTIONS)]
    cache = root / "build" / "tidy"
    cache.mkdir(parents=True, exist_ok=True)
    chosen = [Path(name).resolve() for name in sys.argv[1:]] or source_tree.files(root, ["src"], {".cc"})
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        jobs = [pool.submit(tidy, root, file, cache, context) for file in chosen]
        for done, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            file, output = job.result()
            failed += bool(output)
            print(f"[{done}/{len(chosen)}] {file.relative_to(root)}{' FAILED' if output else ''}", flush=True)
            if output:
                print(output, flush=True)
    print(f"== clang-tidy: {len(chosen) - failed} of {len(chosen)} files clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
