"""Private layers, with real agents, daemons and mounts: mount --cow, layers, diff, apply, discard."""

import errno
import hashlib
import json
import mmap
import os
import random
import sqlite3
import subprocess
import time

import world


class LayersTest(world.World):
    __test__ = True

    def setUp(self):
        super().setUp()
        self.state = self.directory("state", 0o700)
        self.mountpoint = self.directory("mnt")
        self.write("source/data.txt", "one\ntwo\n")
        self.write("source/sub/deep", "deep")
        os.chown(os.path.join(self.source, "sub"), self.user, self.user)

    def environment(self):
        return {**super().environment(), "XDG_STATE_HOME": self.state, "HOME": self.place}

    def mount(self, *words):
        self.succeed("mount", "--cow", *words, f"dir:{self.source}", self.mountpoint)

    def umount(self):
        output = self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()
        return output

    def path(self, name=""):
        return os.path.join(self.mountpoint, name)

    def run_inside(self, code):
        """Python, as the user whose mount it is."""
        line = ["/usr/bin/python3", "-c", f"import os, sys, mmap, sqlite3\nos.chdir({self.mountpoint!r})\n{code}"]
        if self.user:
            line = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--", *line]
        result = subprocess.run(line, capture_output=True, text=True, timeout=world.LIMIT, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def source_text(self, name):
        with open(os.path.join(self.source, name), encoding="utf-8") as file:
            return file.read()

    def checksum(self):
        """Of everything in the container: names, modes, owners, times, contents."""
        digest = hashlib.sha256()
        for directory, names, files in os.walk(self.source):
            names.sort()
            for name in sorted(names + files):
                path = os.path.join(directory, name)
                is_ = os.lstat(path)
                digest.update(repr((path, is_.st_mode, is_.st_uid, is_.st_gid, is_.st_nlink, is_.st_mtime_ns,
                                    is_.st_ctime_ns)).encode())
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        digest.update(file.read())
        return digest.hexdigest()

    def changes(self, name):
        return {change["path"]: change["change"] for change in json.loads(self.succeed("diff", name, "-o", "json"))}

    # --- What programs see and do

    def test_changes_are_private_and_stay(self):
        before = self.checksum()
        self.mount("--layer", "mine")
        self.run_inside("""
with open("data.txt", "a") as file: file.write("three\\n")
with open("new", "w") as file: file.write("new")
os.mkdir("made"); os.rename("sub", "made/sub"); os.remove("file"); os.symlink("new", "link"); os.link("new", "hard")
os.chmod("new", 0o604)
assert open("made/sub/deep").read() == "deep"
assert sorted(os.listdir(".")) == ["data.txt", "hard", "link", "made", "new"], os.listdir(".")
assert os.stat("new").st_nlink == 2
""")
        self.assertEqual(self.checksum(), before)
        note = self.umount()
        self.assertIn("mirrorfs diff mine", note)
        self.assertIn("changed in the private layer mine", note)
        self.assertEqual(self.changes("mine"), {"/data.txt": "M", "/file": "D", "/hard": "A", "/link": "A",
                                                "/made": "A", "/made/sub": "R", "/new": "A"})
        self.assertIn("+three\n", self.succeed("diff", "mine", "--patch"))
        self.assertIn("mine", self.succeed("layers"))
        self.assertIsNone(self.status(self.mountpoint))
        self.mount("--layer", "mine")
        self.assertEqual(self.run_inside("print(open('data.txt').read(), end='')"), "one\ntwo\nthree\n")
        self.assertEqual(self.run_inside("print(sorted(os.listdir('made/sub')))"), "['deep']\n")
        self.umount()
        self.assertEqual(self.checksum(), before)
        self.assertIn("Discarded mine", self.succeed("discard", "mine"))
        self.assertEqual(self.succeed("layers"), "There are no private layers.\n")

    def test_maps_truncation_and_files_without_names(self):
        before = self.checksum()
        self.mount()
        self.run_inside("""
with open("data.txt", "r+b") as file, mmap.mmap(file.fileno(), 0) as area:
    area[0:3] = b"ONE"; area.flush()
assert open("data.txt").read() == "ONE\\ntwo\\n"
fd = os.open("sub/deep", os.O_RDWR); os.remove("sub/deep")
assert os.read(fd, 10) == b"deep" and os.fstat(fd).st_nlink == 0
os.pwrite(fd, b"DEEP", 0); assert os.pread(fd, 10, 0) == b"DEEP"; os.close(fd)
reader = os.open("file", os.O_RDONLY)
with open("file", "w") as file: file.write("short")
assert os.pread(reader, 100, 0) == b"short", os.pread(reader, 100, 0)
database = sqlite3.connect("db.sqlite"); database.execute("pragma journal_mode=wal")
database.execute("create table t (x)")
for i in range(100): database.execute("insert into t values (?)", (i,))
database.commit(); database.close()
assert sqlite3.connect("db.sqlite").execute("select sum(x) from t").fetchone()[0] == 4950
""")
        self.assertEqual(self.checksum(), before)
        self.umount()

    def test_a_mount_that_changes_nothing_leaves_no_layer(self):
        self.mount()
        self.run_inside("open('data.txt').read(); open('data.txt', 'r+').close()")
        self.assertEqual(self.umount(), "")
        self.assertEqual(self.succeed("layers"), "There are no private layers.\n")

    def test_nor_does_one_whose_keeper_was_killed(self):
        self.mount()
        self.kill(self.status(self.mountpoint)["pid"])
        self.umount()
        self.assertEqual(self.succeed("layers"), "There are no private layers.\n")

    def test_reading_costs_no_more_calls_than_without(self):
        def calls(*words):
            self.succeed("mount", *words, f"dir:{self.source}", self.mountpoint)
            for _ in range(2):
                self.run_inside("for at, _, names in os.walk('.'):\n for name in names: open(os.path.join(at, name)).read()")
            stats = json.loads(self.succeed("stats", self.mountpoint, "-o", "json"))
            self.umount()
            return {name: count["calls"] for name, count in stats["calls"].items() if name not in ("Attach", "Heartbeat")}
        plain, private = calls(), calls("--cow")
        for name in ("Lookup", "ReadDir", "Open", "Read", "GetAttr"):
            self.assertLessEqual(private.get(name, 0), plain.get(name, 0) + 1, (name, plain, private))

    # --- Bringing it to the container

    def test_apply_conflict_force(self):
        self.mount("--layer", "work")
        self.run_inside("""
with open("data.txt", "a") as file: file.write("mine\\n")
with open("sub/deep", "w") as file: file.write("changed")
os.remove("file"); os.mkdir("d"); open("d/x", "w").close()
""")
        self.umount()
        self.write("source/data.txt", "theirs\n")
        result = self.run_command("apply", "work")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn("! M /data.txt: it has changed in the container", result.stdout)
        self.assertIn("M /sub/deep", result.stdout)
        self.assertEqual(self.source_text("data.txt"), "theirs\n")
        self.assertEqual(self.source_text("sub/deep"), "changed")
        self.assertFalse(os.path.exists(os.path.join(self.source, "file")))
        self.assertTrue(os.path.exists(os.path.join(self.source, "d/x")))
        self.assertEqual(self.changes("work"), {"/data.txt": "M"})
        self.assertIn("M /data.txt", self.succeed("apply", "--force", "work", "/data.txt"))
        self.assertEqual(self.source_text("data.txt"), "one\ntwo\nmine\n")
        self.assertEqual(self.succeed("layers"), "There are no private layers.\n")
        self.assertEqual(sorted(os.listdir(self.source)), ["d", "data.txt", "sub"])

    # --- As a patch

    def test_a_patch_of_a_name_that_is_no_text(self):
        name = os.path.join(self.source.encode(), b"no-text-\xff")
        for path, text in ((name, "before\n"), (name + b"\xfe", "the other\n")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chown(path, self.user, self.user)
        self.mount("--layer", "bytes")
        self.run_inside("open(b'no-text-\\xff', 'a').write('after\\n'); os.remove(b'no-text-\\xff\\xfe')")
        self.umount()
        patch = subprocess.run(self.command("diff", "bytes", "-p"), env=self.environment(), capture_output=True,
                               timeout=world.LIMIT, check=True, stdin=subprocess.DEVNULL).stdout
        self.assertIn(b" before\n+after\n", patch)
        self.assertIn(b"-the other\n", patch)

    def test_a_patch_says_what_has_gone_and_fails_for_what_cannot_be_read(self):
        self.mount("--layer", "work")
        self.run_inside("open('data.txt', 'a').write('three\\n'); open('file', 'a').write('more\\n')")
        self.umount()
        os.remove(os.path.join(self.source, "file"))
        patch = self.succeed("diff", "work", "-p")
        self.assertIn("--- /dev/null\n+++ b/file\n", patch)
        self.assertIn("+three\n", patch)
        os.remove(os.path.join(self.source, "data.txt"))
        os.mkdir(os.path.join(self.source, "data.txt"))
        result = self.run_command("diff", "work", "-p")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("/data.txt cannot be read in the container: Is a directory", result.stderr)

    def test_a_patch_fails_when_the_agent_does(self):
        self.mount("--layer", "work")
        self.run_inside("open('data.txt', 'a').write('three\\n')")
        self.umount()
        os.rename(f"{self.bin}/mirrorfs-agent", f"{self.bin}/agent")
        with open(f"{self.bin}/mirrorfs-agent", "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho mirrorfs-agent: out of order\nexit 6\n")
        os.chmod(f"{self.bin}/mirrorfs-agent", 0o755)
        self.assertEqual(self.run_command("diff", "work", "-p").stdout, "")
        self.fail_with(6, "out of order", "diff", "work", "-p")

    # --- What cannot be

    def test_bad_input(self):
        target = f"dir:{self.source}"
        self.fail_with(2, "--layer goes with --cow", "mount", "--layer", "x", target, self.mountpoint)
        self.fail_with(2, "--cow and --rw are both asked for", "mount", "--cow", "--rw", target, self.mountpoint)
        self.fail_with(2, "a name has letters", "mount", "--cow", "--layer", "../x", target, self.mountpoint)
        self.fail_with(3, "there is no layer 'x'", "diff", "x")
        self.fail_with(3, "there is no private layer", "apply")
        self.fail_with(3, "there is no layer 'x'", "discard", "x")
        self.fail_with(2, "paths begin with '/'", "apply", "x", "y")
        self.mount("--layer", "one")
        self.assertEqual(self.status(self.mountpoint)["mode"], "cow")
        self.run_inside("open('new', 'w').close()")
        other = self.directory("other")
        self.fail_with(7, "in use by another mount", "mount", "--cow", "--layer", "one", target, other)
        self.fail_with(7, "in use", "discard", "one")
        self.fail_with(7, "in use", "apply", "one")
        self.umount()
        self.fail_with(2, "it is a layer of", "mount", "--cow", "--layer", "one", f"dir:{other}", self.mountpoint)
        self.succeed("discard", "one")

    def test_a_full_disk(self):
        small = self.directory("small")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=2m,uid={self.user},gid={self.user},mode=0700", "small", small],
                       check=True)
        self.state = small
        with open(os.path.join(self.source, "big"), "wb") as file:
            file.write(os.urandom(8 << 20))
        os.chown(os.path.join(self.source, "big"), self.user, self.user)
        before = self.checksum()
        try:
            self.mount("--layer", "full")
            self.run_inside("open('data.txt', 'a').write('kept\\n')")
            self.run_inside(f"""
try:
    with open("big", "r+b") as file: file.write(b"x")
except OSError as error: assert error.errno == {errno.ENOSPC}, error
else: assert False, "it had room"
with open("big", "rb") as file: assert len(file.read()) == 8 << 20
""")
            self.succeed("umount", self.mountpoint)
            self.assertEqual(self.changes("full"), {"/data.txt": "M"})
            self.assertEqual(self.checksum(), before)
        finally:
            subprocess.run(["umount", "-l", small], check=True)

    def test_a_killed_daemon_leaves_a_whole_layer(self):
        for number in range(40):
            self.write(f"source/f{number}", "old " * 5000)
        before = self.checksum()
        for round_ in range(4):
            self.mount("--layer", "crash")
            code = f"""
import random
random.seed({round_})
while True:
    name = f"f{{random.randrange(40)}}"
    try:
        with open(name + ".tmp", "w") as file: file.write("new " * 5000)
        os.rename(name + ".tmp", name)
        if random.random() < 0.3: os.remove(name)
        if random.random() < 0.3: os.makedirs("d/e", exist_ok=True); os.rename("d", f"d{{random.random()}}")
        with open(f"f{{random.randrange(40)}}", "a") as file: file.write("more")
    except FileNotFoundError: pass
"""
            writer = subprocess.Popen(["/usr/bin/python3", "-c", f"import os\nos.chdir({self.mountpoint!r})\n{code}"],
                                      stderr=subprocess.DEVNULL, user=self.user, group=self.user, extra_groups=[])
            tree = os.path.join(self.state, "mirrorfs/layers/crash/tree")
            self.wait_for(lambda: any(name.startswith("f") for name in os.listdir(tree)), "the first change")
            time.sleep(random.uniform(0, 0.5))  # whenever: that is what is tested
            self.kill(self.status(self.mountpoint)["daemon_pid"])
            writer.wait(world.LIMIT)
            self.run_command("umount", "-l", self.mountpoint)
            self.wait_for(lambda: not self.processes(), "the end")
            self.succeed("diff", "crash")
            self.mount("--layer", "crash")
            self.run_inside("""
for name in os.listdir("."):
    if name.startswith("f") and not name.endswith(".tmp") and name != "file":
        text = open(name).read().replace("more", "")
        assert text in ("", "old " * 5000, "new " * 5000), (name, len(text))
""")
            self.umount()
            self.assertEqual(self.checksum(), before, "the container has changed")
        self.succeed("discard", "crash")


class UsersLayersTest(LayersTest):
    """The same for somebody who is not root: owners and modes that his files cannot have are written down."""

    user = world.NOBODY


if __name__ == "__main__":
    world.main()
