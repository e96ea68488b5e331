#!/usr/bin/env python3
"""The layer rule of ARCHITECTURE.md: a file includes only its own folder and folders of a lower level, and some headers
belong to some folders only. Prints one line per sin; status 1 when there is any."""

import sys
from pathlib import Path

import source_tree

LEVELS = {
    "base": 0,
    "net": 1, "ws": 1, "http": 1, "auth": 1,
    "store": 2, "flow": 2,
    "hub": 3,
    "pusher": 4, "socketio": 4, "api": 4, "ingest": 4, "webhook": 4, "cluster": 4, "metrics": 4, "console": 4, "config": 4,
    "app": 5,
    "cli": 6, "embed": 6,
}  # fmt: skip

# Foreign headers with one home: prefix of the header, and where it may be included (folder or file under src/).
HOMES = {
    "spdlog/version.h": {"base/log.cc", "cli/version_command.cc"},
    "spdlog/": {"base/log.cc"},
    "CLI/": {"cli"},
    "toml++/": {"config", "cli"},
    "curl/": {"net/http_client.cc", "net/curl_start.h", "cli", "embed"},
    "cjose/": {"auth/jwk.h"},
    "sqlite3.h": {"store"},
    "hiredis/": {"cluster"},
}

SOCKETS = ("boost/asio", "boost/beast/websocket", "sys/socket.h", "sys/epoll.h", "netinet/", "arpa/", "netdb.h")
JSON = ("simdjson", "boost/json")
LOCKS = ("mutex", "shared_mutex", "condition_variable")

# What a folder must do without: parsers do no I/O, the hub knows no protocol and no JSON, nothing on the way of a message
# takes a lock.
FORBIDDEN = {
    "ws": SOCKETS + JSON + LOCKS,
    "http": SOCKETS + LOCKS,
    "auth": SOCKETS + LOCKS,
    "flow": SOCKETS + LOCKS,
    "hub": SOCKETS + JSON + LOCKS + ("boost/beast", "openssl/"),
    "pusher": SOCKETS + LOCKS,
    "socketio": SOCKETS + LOCKS,
    "net": JSON + LOCKS,
}

# Has a thread of its own, and is far from the way of a message.
OWN_THREAD = {"net/http_client.h", "net/http_client.cc"}

# Beast's parser takes its bytes in this header's types; it opens no socket.
ALLOWED = {"boost/asio/buffer.hpp"}


def check_include(path, folder, quote, name):
    """The sin of one include line of src/<folder>/…, or None. `path` is relative to src/."""
    if quote == '"':
        target = name.split("/")[0]
        if "/" not in name or target.startswith("."):
            return f'"{name}" must be written from src/, for example "{folder}/{Path(name).name}"'
        if target == "kilat":
            return None
        if target not in LEVELS:
            return f'"{name}" is in no layer; a foreign header stands in <>'
        if target != folder and LEVELS[target] >= LEVELS[folder]:
            return (
                f'"{name}": {folder} (level {LEVELS[folder]}) may include lower levels and its own folder only,'
                f" {target} is level {LEVELS[target]}"
            )
        return None
    if name.split("/")[0] in LEVELS and "/" in name and name.endswith(".h"):
        return f'<{name}> names a layer: write "{name}"'
    # The first row that fits decides, so a narrow row stands before a wide one.
    homes = next((homes for prefix, homes in HOMES.items() if name.startswith(prefix)), None)
    if homes is not None:
        if folder not in homes and path.as_posix() not in homes:
            return f"<{name}> belongs to {', '.join(sorted(homes))} only"
    for prefix in FORBIDDEN.get(folder, ()):
        hit = name == prefix or ("/" in prefix or prefix in JSON) and name.startswith(prefix)
        if prefix in LOCKS and path.as_posix() in OWN_THREAD:
            continue
        if hit and name not in ALLOWED:
            return f"<{name}>: {folder} does without it (no I/O in parsers, no JSON in the hub, no locks on the message path)"
    return None


def check(root):
    """All sins under root, as lines."""
    sins = []
    for file in source_tree.files(root, ["src"], {".h", ".cc"}):
        path = file.relative_to(root / "src")
        folder = path.parts[0]
        where = file.relative_to(root)
        if len(path.parts) < 2 or folder not in LEVELS:
            sins.append(f"{where}:1: src/ has one folder per layer; {folder} is none")
            continue
        for line, quote, name in source_tree.includes(file.read_text(encoding="utf-8")):
            sin = check_include(path, folder, quote, name)
            if sin:
                sins.append(f"{where}:{line}: {sin}")
    for file in source_tree.files(root, ["include"], {".h"}):
        for line, quote, name in source_tree.includes(file.read_text(encoding="utf-8")):
            if quote == '"' and not name.startswith("kilat/"):
                sins.append(f"{file.relative_to(root)}:{line}: a public header includes public headers only")
    return sins


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else source_tree.ROOT
    sins = check(root)
    print("\n".join(sins) if sins else "== layer rule: kept")
    return 1 if sins else 0


if __name__ == "__main__":
    sys.exit(main())
