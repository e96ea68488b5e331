#!/usr/bin/env python3
"""The generated documents are what the binary prints: check_docs.py path/to/kilat. With --update it writes them.
Status 1 when one differs; the first differing line is shown."""

import itertools
import subprocess
import sys

import source_tree

DOCUMENTS = {
    "docs/configuration.md": ["config", "--markdown"],
    "docs/metrics.md": ["metrics", "--markdown"],
    "docs/reasons.md": ["reasons", "--markdown"],
}


def first_difference(have, want):
    """None, or text that shows the first line in which the two differ."""
    pairs = itertools.zip_longest(have.splitlines(), want.splitlines(), fillvalue="(end)")
    for number, (a, b) in enumerate(pairs, 1):
        if a != b:
            return f"line {number}\n  committed: {a}\n  printed:   {b}"
    return None if have == want else "line ends differ"


def check(root, binary, write):
    sins = []
    for name, arguments in DOCUMENTS.items():
        printed = subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)
        if printed.returncode != 0:
            sins.append(f"kilat {' '.join(arguments)} failed with {printed.returncode}: {printed.stderr.strip()}")
            continue
        path = root / name
        if write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(printed.stdout, encoding="utf-8")
        have = path.read_text(encoding="utf-8") if path.exists() else ""
        difference = first_difference(have, printed.stdout)
        if difference:
            sins.append(f"{name} is not what `kilat {' '.join(arguments)}` prints, {difference}")
    return sins


def main():
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    sins = check(source_tree.ROOT, arguments[0], "--update" in sys.argv)
    print("\n".join(sins) if sins else f"== documents: {len(DOCUMENTS)} in step with the binary")
    if sins:
        print("Mend: python3 tests/tools/check_docs.py --update build/release/kilat")
    return 1 if sins else 0


if __name__ == "__main__":
    sys.exit(main())
