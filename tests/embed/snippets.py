#!/usr/bin/env python3
"""Makes C++ of the snippets in docs/embedding.md: snippets.py DOCUMENT OUTPUT. A block with an #include is a program of
its own, in a namespace here; any other is the body of a function that has a server at hand."""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)

HEAD = """// Made from {document}.
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "kilat/kilat.h"
#include "kilat/publisher.h"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"
"""


def main():
    document, output = Path(sys.argv[1]), Path(sys.argv[2])
    blocks = BLOCK.findall(document.read_text(encoding="utf-8"))
    if not blocks:
        sys.exit(f"{document} has no snippets")
    parts = [HEAD.format(document=document.name)]
    for number, block in enumerate(blocks):
        name = f"snippet_{number}"
        if "#include" in block:
            block = re.sub(r"^#include.*\n", "", block, flags=re.MULTILINE).replace("int main()", f"int {name}()")
            parts.append(block)
        else:
            parts.append(f"void {name}([[maybe_unused]] kilat::Server& server) {{\n{block}}}\n")
    output.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
