"""How many calls to the agent programs take: exact, as distance makes each of them dear."""

import json
import os
import subprocess
import unittest

import world

DIRECTORIES = 40
FILES = 20
# The session's own, and those that go in batches by themselves.
NOT_COUNTED = ("Attach", "Ping", "Forget", "Release")


class CallsTest(world.World):

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")

    def make_tree(self):
        for directory in range(DIRECTORIES):
            path = os.path.join(self.source, f"tree/d{directory:02}")
            os.makedirs(path)
            for file in range(FILES):
                with open(os.path.join(path, f"f{file}"), "w", encoding="utf-8") as made:
                    made.write("x" * 100)

    def mount(self, *words):
        # Names and attributes outlive the test: a slow machine makes no calls of its own.
        self.succeed("mount", "-o", "attr_timeout=60,entry_timeout=60", *words, f"dir:{self.source}", self.mountpoint)

    def calls(self):
        counts = json.loads(self.succeed("stats", self.mountpoint, "-o", "json"))["calls"]
        return {name: count["calls"] for name, count in counts.items() if name not in NOT_COUNTED}

    def calls_of(self, *command):
        before = self.calls()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=world.LIMIT,
                       cwd=self.mountpoint)
        after = {name: count - before.get(name, 0) for name, count in self.calls().items()}
        return {name: count for name, count in after.items() if count > 0}

    def test_a_tree_takes_one_call_a_directory(self):
        self.make_tree()
        for program in (("find", "tree"), ("ls", "-lR", "tree")):
            with self.subTest(program):
                self.mount()
                calls = self.calls_of(*program)
                self.assertGreaterEqual(calls["ReadDir"], DIRECTORIES + 1)
                self.assertLessEqual(sum(calls.values()), DIRECTORIES + 1 + 10, calls)
                self.assertLessEqual(sum(self.calls_of(*program).values()), 2, "it is remembered")
                self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def test_what_an_unpacked_file_takes(self):
        """One call each to make it, write it, and set owner, permissions and times; no questions in between."""
        os.mkdir(os.path.join(self.source, "out"))
        self.directory("unpacked")
        for number in range(FILES):
            self.write(f"unpacked/f{number:02}", "y" * 1000)
        archive = os.path.join(self.place, "archive.tar")
        subprocess.run(["tar", "cf", archive, "-C", os.path.join(self.place, "unpacked"), "."], check=True)
        self.mount("--rw")
        calls = self.calls_of("tar", "xf", archive, "-C", "out")
        self.assertEqual(calls["Create"], FILES)
        self.assertLess(calls["Write"], FILES + 5)  # tar writes two pieces where its records of 10 KiB meet
        self.assertLessEqual(calls["SetAttr"], 3 * FILES + 3)
        self.assertLessEqual(calls.get("GetAttr", 0) + calls.get("Lookup", 0), 8, calls)
        calls = self.calls_of("rm", "-rf", "out")
        self.assertEqual(calls["Unlink"], FILES)
        self.assertLessEqual(sum(calls.values()), FILES + 8, calls)
        self.succeed("umount", self.mountpoint)
        self.assertFalse(os.path.exists(os.path.join(self.source, "out")))
        self.assert_nothing_left()


if __name__ == "__main__":
    world.main()
