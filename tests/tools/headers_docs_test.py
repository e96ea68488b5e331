"""The header check, the document check, and the digest that decides what may be skipped."""

import stat
import tempfile
import unittest
from pathlib import Path

import check_docs
import check_headers
import source_tree


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


class Headers(Tree):
    def complaints(self):
        return check_headers.check(self.root, self.root / "build")[1]

    def test_complete_header_passes_and_is_remembered(self):
        self.write("src/base/a.h", "// Why.\n#pragma once\n#include <string>\ninline std::string f() { return {}; }\n")
        self.assertEqual(self.complaints(), [])
        self.assertEqual(len(list((self.root / "build").iterdir())), 1)
        self.assertEqual(self.complaints(), [])

    def test_header_that_leans_on_its_includer_fails(self):
        self.write("src/base/a.h", "// Why.\n#pragma once\nstd::string f();\n")
        self.assertIn("string", self.complaints()[0])

    def test_header_without_guard_fails(self):
        self.write("src/base/a.h", "// Why.\nstruct A {};\n")
        self.assertIn("redefinition", self.complaints()[0])

    def test_header_that_its_own_source_includes_first_is_left_to_the_build(self):
        self.write("src/base/a.h", "// Why.\n#pragma once\nstd::string f();\n")
        source = self.write("src/base/a.cc", '#include "base/a.h"\n\n#include <string>\n')
        self.assertEqual(self.complaints(), [])
        source.write_text('#include <string>\n\n#include "base/a.h"\n', encoding="utf-8")
        self.assertIn("string", self.complaints()[0])

    def test_header_without_guard_is_not_left_to_the_build(self):
        self.write("src/base/a.h", "// Why.\nstruct A {};\n")
        self.write("src/base/a.cc", '#include "base/a.h"\n')
        self.assertIn("redefinition", self.complaints()[0])

    def test_header_without_opening_comment_fails(self):
        self.write("src/base/a.h", "#pragma once\n")
        self.assertIn("opens with a comment", self.complaints()[0])


class Digest(Tree):
    def test_digest_follows_headers_at_any_depth_and_the_context(self):
        source = self.write("src/a/a.cc", '#include "b/b.h"\n')
        self.write("src/b/b.h", '#include "c/c.h"\n')
        deep = self.write("src/c/c.h", "int x;\n")
        before = source_tree.digest(self.root, source, "options")
        self.assertEqual(before, source_tree.digest(self.root, source, "options"))
        self.assertNotEqual(before, source_tree.digest(self.root, source, "other options"))
        deep.write_text("int y;\n", encoding="utf-8")
        self.assertNotEqual(before, source_tree.digest(self.root, source, "options"))


class Documents(Tree):
    def binary(self, script):
        path = self.write("kilat", "#!/bin/sh\n" + script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    def test_written_documents_are_in_step_until_the_binary_prints_something_else(self):
        binary = self.binary('echo "# $1"\n')
        self.assertEqual(check_docs.check(self.root, binary, True), [])
        self.assertEqual(check_docs.check(self.root, binary, False), [])
        sins = check_docs.check(self.root, self.binary('echo "# other"\n'), False)
        self.assertEqual(len(sins), len(check_docs.DOCUMENTS))
        self.assertIn("line 1", sins[0])

    def test_missing_document_and_failing_binary_are_sins(self):
        self.assertEqual(len(check_docs.check(self.root, self.binary("echo text\n"), False)), len(check_docs.DOCUMENTS))
        self.assertIn("failed with 3", check_docs.check(self.root, self.binary("exit 3\n"), False)[0])


if __name__ == "__main__":
    unittest.main()
