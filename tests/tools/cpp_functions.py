"""Finds the functions of a C++ file and their lengths, by following braces. Not a parser: it knows enough of our own style
to tell function bodies from classes, namespaces and initialisers, and its tests say what it knows."""

import re

import source_tree

_CONTAINER = re.compile(r"^(?:inline\s+)?(?:namespace\b|extern\s*$)|^(?:template\s*<.*>\s*)?(?:typedef\s+)?(?:class|struct|union|enum)\b", re.DOTALL)
_INIT_LIST = re.compile(r"\)\s*(?:noexcept\s*)?:(?!:)")
_NAME = re.compile(r"((?:[\w~]+(?:<[^<>]*>)?\s*::\s*)*(?:operator\s*[^\s\w(]+|operator\s*\(\)|operator\s+\w+|[\w~]+))\s*\(")
_TEST = re.compile(r"^(TEST|TEST_F|TEST_P|TYPED_TEST|BENCHMARK_F)\s*\(\s*(\w+)\s*,\s*(\w+)")


def _name_of(head):
    test = _TEST.match(head)
    if test:
        return f"{test.group(2)}.{test.group(3)}"
    found = _NAME.search(re.sub(r"^(?:\[\[[^\]]*\]\]|alignas\s*\([^)]*\)|KILAT_\w+\s*\([^)]*\))\s*", "", head))
    return re.sub(r"\s+", "", found.group(1)) if found else "?"


def _kind(head, inside_parentheses):
    """What the brace after `head` opens: 'container', 'function', or 'other' (an initialiser)."""
    if _CONTAINER.match(head):
        return "container"
    if inside_parentheses or "(" not in head or head.endswith(("=", ",", "return")):
        return "other"
    # `Type::Type() : a_{1}, b_(2) {`: a brace after a name initialises a member, one after a bracket opens the body.
    if _INIT_LIST.search(head) and re.search(r"[\w>]$", head) and not re.search(r"\b(?:const|override|noexcept|final)$", head):
        return "other"
    return "function"


class _Scanner:
    def __init__(self, text):
        self.text = source_tree.code_only(text)
        self.functions = []
        self.stack = []  # (kind, head before the brace, start of head)
        self.head_start = 0
        self.parentheses = 0

    def head(self, position):
        text = self.text[self.head_start : position]
        start = self.head_start + len(text) - len(text.lstrip())
        return text.strip(), start

    def open(self, position):
        if self.stack and self.stack[-1][0] == "function":
            self.stack.append(("function", None, 0))  # a block inside a body
            return
        head, start = self.head(position)
        kind = _kind(head, self.parentheses > 0)
        self.stack.append((kind, head, start))
        if kind != "other":
            self.head_start = position + 1

    def close(self, position):
        if not self.stack:
            return
        kind, head, start = self.stack.pop()
        if kind == "function" and head is not None:
            first = self.text.count("\n", 0, start) + 1
            last = self.text.count("\n", 0, position) + 1
            self.functions.append((_name_of(head), first, last - first + 1))
        if kind == "container" or (kind == "function" and head is not None):
            self.head_start = position + 1

    def scan(self):
        for match in re.finditer(r"[{}();]|\b(?:public|private|protected)\s*:", self.text):
            token, position = match.group(0), match.start()
            in_body = bool(self.stack) and self.stack[-1][0] == "function"
            if token == "{":
                self.open(position)
            elif token == "}":
                self.close(position)
            elif in_body:
                continue
            elif token == "(":
                self.parentheses += 1
            elif token == ")":
                self.parentheses = max(0, self.parentheses - 1)
            elif token == ";" and self.parentheses > 0:
                continue
            elif not (self.stack and self.stack[-1][0] == "other"):
                self.head_start = match.end()
        return self.functions


def functions(text):
    """[(name, first line, number of lines)] of every function body; a lambda counts to the function around it."""
    return _Scanner(text).scan()
