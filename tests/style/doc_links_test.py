"""doc_links.py finds links and names that lead nowhere, and lets pass the others."""

import pathlib
import tempfile
import unittest

import doc_links


class DocLinksTest(unittest.TestCase):
    def problems(self, text):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "agent").mkdir()
            (root / "agent/main.cc").write_text("")
            (root / "README.md").write_text(text)
            return list(doc_links.problems(root))

    def test_links(self):
        self.assertEqual([], self.problems("[a](agent/main.cc), [b](https://example.org/x), [c](README.md#part), [d](#part)"))
        self.assertEqual(1, len(self.problems("[a](agent/gone.cc)")))

    def test_named_files(self):
        self.assertEqual([], self.problems("`agent/main.cc`, `agent/*.cc`, `agent/`, `other/thing`, agent/gone.cc"))
        self.assertEqual(1, len(self.problems("`agent/gone.cc`")))
        self.assertEqual(1, len(self.problems("`agent/{main,gone}.cc`")))


if __name__ == "__main__":
    unittest.main()
