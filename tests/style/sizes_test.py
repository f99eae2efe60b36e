"""sizes.py finds functions by their braces, and complains over the limits only."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import sizes

SAMPLE = """\
#define BODY() { \\
  }
namespace mirrorfs {
struct Options {
  int count = 1;
  std::vector<int> list{1, 2};
  int Count() const { return count; }
};
Walker::Walker(Options options)
    : options_(std::move(options)) {
  // } a brace in a comment
  const char* text = "}";
  for (int i = 0; i < 3; ++i) {
    Step();
  }
  Run([this] { Step(); });
  Run([this](int count) {
    Step(count);
    Step(count);
  });
}
constexpr int kTable[] = {1, 2, 3};
TEST(Walk, Stays) {
  EXPECT_TRUE(true);
}
}  // namespace mirrorfs
"""


class SizesTest(unittest.TestCase):
    def test_functions_are_found_with_their_lines(self):
        found = [(f.name, f.line, f.lines) for f in sizes.functions(pathlib.Path("a.cc"), SAMPLE)]
        self.assertEqual([("Count", 7, 1), ("lambda", 16, 1), ("lambda", 17, 4), ("Walker::Walker", 9, 10), ("TEST", 23, 3)], found)

    def run_on(self, text):
        with tempfile.TemporaryDirectory() as root:
            file = pathlib.Path(root) / "protos/rootfs/a.cc"
            file.parent.mkdir(parents=True)
            file.write_text(text)
            return subprocess.run(
                [sys.executable, "-B", sizes.__file__, root], capture_output=True, text=True, check=False)

    def function_of(self, lines):
        return "void Long() {\n" + "  Step();\n" * (lines - 2) + "}\n"

    def test_limits(self):
        self.assertEqual(0, self.run_on(self.function_of(60)).returncode)
        over = self.run_on(self.function_of(61))
        self.assertEqual(1, over.returncode)
        self.assertIn("61 protos/rootfs/a.cc:1 Long", over.stdout)
        self.assertEqual(0, self.run_on("int x;\n" * 500).returncode)
        self.assertEqual(1, self.run_on("int x;\n" * 501).returncode)


if __name__ == "__main__":
    unittest.main()
