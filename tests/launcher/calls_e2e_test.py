"""How many calls to the agent programs take: exact, as distance makes each of them dear."""

import concurrent.futures
import errno
import json
import os
import random
import subprocess
import unittest

import world

DIRECTORIES = 40
FILES = 20
READERS = 16
PAGES = 4096
PAGE = 4096
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

    def test_removing_files_takes_a_call_each(self):
        """Besides a listing of each directory; what else rm asks of directories came with it."""
        self.make_tree()
        self.mount("--rw")
        calls = self.calls_of("rm", "-rf", "tree/d00", "tree/d01")
        self.assertEqual((calls.pop("Unlink"), calls.pop("Rmdir")), (2 * FILES, 2))
        self.assertLessEqual(sum(calls.values()), 8, calls)
        self.assertNotIn("GetAttr", calls)
        self.assertEqual(sorted(os.listdir(os.path.join(self.source, "tree")))[0], "d02")
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def test_small_reads_at_once_share_calls(self):
        content = random.Random(1).randbytes(PAGES * PAGE)
        with open(os.path.join(self.source, "pages"), "wb") as file:
            file.write(content)
        self.mount()
        offsets = [number * PAGE for number in range(PAGES)]
        random.Random(2).shuffle(offsets)

        def read(reader):
            with open(os.path.join(self.mountpoint, "pages"), "rb", buffering=0) as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
                mine = offsets[reader::READERS]
                return all(os.pread(file.fileno(), PAGE, offset) == content[offset:offset + PAGE] for offset in mine)

        with concurrent.futures.ThreadPoolExecutor(READERS) as readers:
            self.assertEqual(list(readers.map(read, range(READERS))), [True] * READERS)
        calls = self.calls()
        self.assertGreater(calls.get("ReadMany", 0), 0, calls)
        self.assertLess(calls.get("Read", 0) + calls["ReadMany"], PAGES, calls)
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def requests(self):
        return json.loads(self.succeed("stats", self.mountpoint, "-o", "json"))["requests"]

    def acl_of(self, name):
        try:
            return os.getxattr(os.path.join(self.mountpoint, name), "system.posix_acl_access")
        except OSError as error:
            return errno.errorcode[error.errno]

    def test_files_without_acls_are_asked_once(self):
        """And those that have one show it: as soon as any has, each is asked."""
        self.make_tree()
        self.mount("--rw")
        subprocess.run(["ls", "-lR"], cwd=self.mountpoint, check=True, stdout=subprocess.DEVNULL, timeout=world.LIMIT)
        self.assertLess(self.requests()["GetXattr"], 10)
        self.assertEqual(self.acl_of("tree/d00/f0"), "ENOTSUP")
        subprocess.run(["setfacl", "-m", "u:12:r", os.path.join(self.source, "tree/d01/f1")], check=True)
        self.succeed("umount", self.mountpoint)
        self.mount("--rw")
        listed = subprocess.run(["ls", "-l", os.path.join(self.mountpoint, "tree/d01")], check=True, text=True,
                                capture_output=True, timeout=world.LIMIT).stdout
        self.assertEqual([line.split()[-1] for line in listed.splitlines() if line[10:11] == "+"], ["f1"])
        self.assertEqual(self.acl_of("tree/d01/f2"), "ENODATA")
        self.succeed("umount", self.mountpoint)
        subprocess.run(["setfacl", "-b", os.path.join(self.source, "tree/d01/f1")], check=True)
        self.mount("--rw")
        subprocess.run(["setfacl", "-m", "u:12:rw", os.path.join(self.mountpoint, "tree/d02/f3")], check=True,
                       timeout=world.LIMIT)
        self.assertIn("user:12:rw-", subprocess.run(
            ["getfacl", "-n", os.path.join(self.source, "tree/d02/f3")], check=True, text=True,
            capture_output=True).stdout)
        self.assertEqual(self.acl_of("tree/d00/f0"), "ENODATA")
        self.succeed("umount", self.mountpoint)
        self.mount("-o", "acl")
        self.assertEqual(self.acl_of("tree/d00/f0"), "ENODATA")
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
