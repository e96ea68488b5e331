"""The layer check finds each kind of sin in a small tree of its own."""

import tempfile
import unittest
from pathlib import Path

import check_layers


def sins_of(files):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return check_layers.check(root)


class Layers(unittest.TestCase):
    def assert_sin(self, file, text, part):
        sins = sins_of({file: text})
        self.assertEqual(len(sins), 1, sins)
        self.assertIn(part, sins[0])
        self.assertTrue(sins[0].startswith(file + ":"), sins[0])

    def assert_clean(self, file, text):
        self.assertEqual(sins_of({file: text}), [])

    def test_lower_layer_and_own_folder_are_allowed(self):
        self.assert_clean("src/hub/a.cc", '#include "hub/a.h"\n#include "net/b.h"\n#include "base/c.h"\n#include <vector>\n')

    def test_higher_layer_is_a_sin_with_its_line(self):
        self.assert_sin("src/net/a.h", '#include <vector>\n#include "hub/b.h"\n', "level 3")

    def test_layer_four_folders_never_include_each_other(self):
        self.assert_sin("src/pusher/a.cc", '#include "api/b.h"\n', "level 4")

    def test_layer_one_folders_never_include_each_other(self):
        self.assert_sin("src/ws/a.cc", '#include "http/b.h"\n', "level 1")

    def test_path_relative_to_the_file_is_a_sin(self):
        self.assert_sin("src/ws/a.cc", '#include "../hub/b.h"\n', "written from src/")
        self.assert_sin("src/ws/a.cc", '#include "b.h"\n', "written from src/")

    def test_angle_brackets_do_not_hide_a_layer(self):
        self.assert_sin("src/net/a.cc", "#include <hub/b.h>\n", "names a layer")

    def test_unknown_folder_is_a_sin(self):
        self.assert_sin("src/util/a.cc", "", "util")
        self.assert_sin("src/main.cc", "", "main.cc")
        self.assert_sin("src/ws/a.cc", '#include "util/b.h"\n', "no layer")

    def test_foreign_header_away_from_home_is_a_sin(self):
        self.assert_sin("src/hub/a.cc", "#include <spdlog/spdlog.h>\n", "base/log.cc")
        self.assert_sin("src/config/a.cc", "#include <CLI/CLI.hpp>\n", "cli")
        self.assert_clean("src/base/log.cc", "#include <spdlog/spdlog.h>\n")

    def test_parsers_do_no_io(self):
        self.assert_sin("src/http/a.cc", "#include <boost/asio/ip/tcp.hpp>\n", "does without")
        self.assert_clean("src/http/a.cc", "#include <boost/asio/buffer.hpp>\n#include <boost/beast/http/parser.hpp>\n")

    def test_hub_knows_no_json_and_takes_no_lock(self):
        self.assert_sin("src/hub/a.cc", "#include <simdjson.h>\n", "does without")
        self.assert_sin("src/hub/a.cc", "#  include <mutex>\n", "does without")

    def test_public_header_includes_public_headers_only(self):
        self.assert_sin("include/kilat/a.h", '#include "base/b.h"\n', "public")


if __name__ == "__main__":
    unittest.main()
