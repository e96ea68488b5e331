"""What the checks share: the project's files, C++ text without comments and strings, includes, and digests."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.MULTILINE)

# One alternative per thing that may hold text which is not code. A quote after a digit separates digits (1'000).
_NOT_CODE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<delimiter>[^()\s\\]{0,16})\(.*?\)(?P=delimiter)"
      | "(?:[^"\\\n]|\\.)*"
      | (?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'
    """,
    re.VERBOSE | re.DOTALL,
)


def blank_out(match):
    """Spaces and line ends in place of the matched text, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", match.group(0))


def code_only(text):
    """C++ text with comments, strings, character literals and preprocessor lines blanked out."""
    text = _NOT_CODE.sub(blank_out, text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank_out, text, flags=re.MULTILINE)


def files(root, folders, suffixes):
    """Files under the folders of root with one of the suffixes, sorted; generated and foreign folders are left out."""
    skip = {"node_modules", "build", "corpus", "artifacts"}
    found = []
    for folder in folders:
        for path in (root / folder).rglob("*"):
            if path.suffix in suffixes and path.is_file() and not skip.intersection(path.relative_to(root).parts):
                found.append(path)
    return sorted(found)


def includes(text):
    """(line number, '<' or '"', name) of each include line."""
    return [(text.count("\n", 0, m.start(2)) + 1, m.group(1), m.group(2)) for m in INCLUDE.finditer(text)]


def closure(root, path):
    """The file and every project header it includes, directly or not, sorted."""
    seen = set()
    pending = [path]
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        for _, _, name in includes(current.read_text(encoding="utf-8")):
            for base in (root / "src", root / "include", current.parent):
                if (base / name).is_file():
                    pending.append((base / name).resolve())
                    break
    return sorted(seen)


def digest(root, path, *context):
    """A hash of the file, all project headers it includes, and the context strings (compiler, options, settings)."""
    h = hashlib.sha256()
    for text in context:
        h.update(text.encode() + b"\0")
    for part in closure(root, path.resolve()):
        h.update(str(part).encode() + b"\0" + part.read_bytes() + b"\0")
    return h.hexdigest()
