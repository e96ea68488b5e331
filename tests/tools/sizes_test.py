"""The size ratchet and the function finder under it."""

import tempfile
import unittest
from pathlib import Path

import check_sizes
import cpp_functions

LONG_BODY = "  work();\n" * 80


def names_and_lengths(text):
    return [(name, length) for name, _, length in cpp_functions.functions(text)]


class Functions(unittest.TestCase):
    def test_free_function_counts_from_signature_to_brace(self):
        text = "namespace a {\n\nint f(int x,\n      int y) {\n  return x;\n}\n}\n"
        self.assertEqual(cpp_functions.functions(text), [("f", 3, 4)])

    def test_methods_inside_and_outside_a_class(self):
        text = "class A : public B {\n public:\n  void f() const override {\n  }\n  int x_ = 0;\n};\nvoid A::g() noexcept {\n}\n"
        self.assertEqual(names_and_lengths(text), [("f", 2), ("A::g", 2)])

    def test_constructor_with_braced_members(self):
        text = "A::A(int x) : a_{x}, b_(x), c_{} {\n  work();\n}\nvoid f() {\n}\n"
        self.assertEqual(names_and_lengths(text), [("A::A", 3), ("f", 2)])

    def test_lambda_counts_to_the_function_around_it(self):
        text = "void f() {\n  auto g = [](int x) {\n    if (x) {\n    }\n  };\n}\n"
        self.assertEqual(names_and_lengths(text), [("f", 6)])

    def test_tables_are_not_functions(self):
        text = "constexpr auto kTable = make({\n  {1, f(2)},\n});\nint a[] = {\n  g(1),\n};\nstruct S { int x = 0; };\nenum class E : int { kA };\n"
        self.assertEqual(names_and_lengths(text), [])

    def test_braces_in_text_and_comments_do_not_count(self):
        text = 'void f() {\n  // }\n  a("}");\n  b(\'}\');\n  c(R"x(})x");\n  d(1\'000);\n  /* } */\n#define X }\n}\n'
        self.assertEqual(names_and_lengths(text), [("f", 9)])

    def test_templates_and_trailing_returns(self):
        text = "template <typename T>\nauto f(T t) -> Result<T> {\n  return t;\n}\ntemplate <typename T>\nstruct S {\n  bool operator==(const S&) const {\n  }\n};\n"
        self.assertEqual(names_and_lengths(text), [("f", 4), ("operator==", 2)])

    def test_test_macro_is_named_by_suite_and_case(self):
        self.assertEqual(names_and_lengths("TEST(Suite, Does_This) {\n}\n"), [("Suite.Does_This", 2)])


class Ratchet(unittest.TestCase):
    def measure(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            return check_sizes.measure(Path(folder))[0]

    def test_long_function_is_found(self):
        over = self.measure("src/ws/a.cc", "void f() {\n" + LONG_BODY + "}\n")
        self.assertEqual(over, {"function src/ws/a.cc f": 82})
        self.assertIn("split it", check_sizes.compare(over, {})[0])

    def test_long_file_is_found(self):
        over = self.measure("web/src/a.ts", "x\n" * 601)
        self.assertEqual(over, {"file web/src/a.ts": 601})

    def test_file_at_the_limit_passes(self):
        self.assertEqual(self.measure("src/ws/a.cc", "int x;\n" * 600), {})

    def test_listed_size_passes_and_may_not_grow(self):
        self.assertEqual(check_sizes.compare({"file a": 700}, {"file a": 700}), [])
        self.assertIn("grew", check_sizes.compare({"file a": 701}, {"file a": 700})[0])

    def test_stale_entries_are_breaches(self):
        self.assertIn("shrank", check_sizes.compare({"file a": 650}, {"file a": 700})[0])
        self.assertIn("gone", check_sizes.compare({}, {"file a": 700})[0])

    def test_update_only_lowers(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "baseline.txt"
            path.write_text("# why\nfile a 700\nfile b 650\nfile c 610\n", encoding="utf-8")
            check_sizes.update(path, {"file a": 690, "file b": 660, "file d": 900}, check_sizes.read_baseline(path))
            self.assertEqual(path.read_text(encoding="utf-8"), "# why\nfile a 690\nfile b 650\n")


if __name__ == "__main__":
    unittest.main()
