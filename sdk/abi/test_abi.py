#!/usr/bin/env python3
"""Tests of the tools that keep the plugin ABI stable; with Python and a C compiler alone."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import compare
import describe
import emit_layout
import emit_rust
import headers
import layout
from plants import ALLOWED, FORBIDDEN, Change, plant
from versions import CURRENT, RELEASED, ROOT, History, Version


class Comparison(unittest.TestCase):
    """Changes that break plugins are found, those that do not are not."""

    @classmethod
    def setUpClass(cls):
        cls.now = Version(CURRENT)

    def found(self, change):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place, "include")
            plant(change, CURRENT, folder)
            return compare.breaks(self.now, Version(folder))

    def test_every_planted_change_is_found(self):
        for change in FORBIDDEN:
            with self.subTest(change.name):
                self.assertTrue(self.found(change))

    def test_growth_is_not_reported(self):
        for change in ALLOWED:
            with self.subTest(change.name):
                self.assertEqual(self.found(change), [])

    def test_another_thread_tag_is_found(self):
        change = Change("tag", "host.h", "and says so. [any]", "and says so. [op]")
        self.assertEqual(self.found(change), ["apus_host.log was [any], is [op]"])

    def test_the_message_names_field_and_both_places(self):
        found = self.found(FORBIDDEN[0])
        self.assertIn("apus_batch.input was 4 bytes at 8, is 4 bytes at 16", found)

    def test_every_struct_tells_its_size_or_never_grows(self):
        self.assertEqual(list(compare.ungated(self.now)), [])
        change = Change("no size", "batch.h", "typedef struct apus_batch {\n    uint32_t size;\n",
                        "typedef struct apus_batch {\n    uint32_t length;\n")
        with tempfile.TemporaryDirectory() as place:
            plant(change, CURRENT, Path(place, "include"))
            self.assertEqual(
                list(compare.ungated(Version(Path(place, "include")))),
                ["apus_batch does not begin with `size`: add it to NEVER_GROW in compare.py"])

    def test_what_was_released_is_compared(self):
        history = History()
        self.assertEqual([each.minor for each in history.versions[:-1]], list(RELEASED))
        self.assertEqual(compare.history_problems(history), [])
        history.versions.reverse()
        self.assertTrue(compare.history_problems(history))


class Layout(unittest.TestCase):
    def test_the_id_changes_with_every_field_that_is_added(self):
        ids = {emit_layout.layout_id(Version(CURRENT))}
        for change in ALLOWED[:2] + ALLOWED[3:]:
            with tempfile.TemporaryDirectory() as place:
                plant(change, CURRENT, Path(place, "include"))
                ids.add(emit_layout.layout_id(Version(Path(place, "include"))))
        self.assertEqual(len(ids), 4)

    def test_the_list_is_read_as_it_was_written(self):
        version = Version(CURRENT)
        places = layout.read_text(version.layout.text())
        self.assertEqual(places["apus_view", "u.ref"], (4, 12))
        self.assertEqual(len(places), len(version.layout.sizes) + len(version.layout.places))
        with self.assertRaises(ValueError):
            layout.read_text("apus_view len 0\n")


class Reading(unittest.TestCase):
    def read(self, text):
        return headers.Reader("test.h", text).read()

    def test_what_is_not_understood_is_an_error_with_its_line(self):
        for text, line in (
            ("// A.\n\nint x;\n", 3),
            ("typedef struct a {\n    int32_t f(void);\n} a;\n", 2),
            ("typedef struct a {\n    uint32_t b : 3;\n} a;\n", 2),
            ("typedef struct a {\n    uint32_t b;\n", 2),
            ("enum e { A };\n", 1),
        ):
            with self.subTest(text), self.assertRaises(headers.HeaderError) as raised:
                self.read(text)
            self.assertIn(f"test.h:{line}:", str(raised.exception))

    def test_fields_functions_and_comments(self):
        found = self.read(
            "// The header.\n\n// A struct.\ntypedef struct a {\n"
            "    const b *const *many;  // beside\n    // Above. [op]\n"
            "    int32_t (*call)(void *self, a *,\n        uint64_t len);\n"
            "    uint8_t bytes[4];\n} a;\n"
        )
        struct = found.items[0]
        self.assertEqual((found.comment, struct.comment), ("The header.", "A struct."))
        many, call, bytes = struct.fields
        self.assertEqual((many.type.text(), many.comment), ("const b *const *", "beside"))
        self.assertEqual((call.tag, call.comment), ("op", "Above. [op]"))
        self.assertEqual([each.type.text() for each in call.parameters],
                         ["void *", "a *", "uint64_t"])
        self.assertEqual(bytes.count, "4")
        self.assertEqual(emit_rust.rust_type(many.type), "*const *const b")

    def test_groups_of_constants(self):
        found = self.read(
            "// Header.\n\n// Kinds.\n#define A 1  // one\n#define B 2\n\n// Alone.\n#define C 3\n"
        )
        self.assertEqual([(each.group, each.comment) for each in found.items],
                         [("Kinds.", "one"), ("Kinds.", ""), ("", "Alone.")])


class Files(unittest.TestCase):
    def test_a_file_that_was_edited_is_noticed(self):
        made = describe.files(History())
        self.assertGreater(len(made), 10)
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(describe.check(made), 0)
            path = "sdk/abi/layout.txt"
            self.assertTrue((ROOT / path).exists())
            self.assertEqual(describe.check({**made, path: made[path] + "x . 0 1\n"}), 1)

    def test_every_generated_file_says_so(self):
        for path, text in describe.files(History()).items():
            if not path.startswith("sdk/abi/layout"):  # their bytes are what the id is made of
                self.assertIn("abi-generate", "\n".join(text.splitlines()[:2]), path)

    def test_a_wrong_since_is_found(self):
        history = History()
        for struct in history.current.structs:
            for field in struct.fields:
                if (struct.name, field.name) == ("apus_ctx", "broadcast"):
                    field.comment = "Since 0.3."
        self.assertIn("apus_ctx.broadcast is there since 0.2, but its comment says 0.3",
                      list(history.wrong_comments()))


if __name__ == "__main__":
    unittest.main()
