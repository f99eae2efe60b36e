"""cp, cat and diff of targets: files without a mount, both ways."""

import os
import stat
import subprocess

import world

BIG = 5_000_001


def shape(directory):
    """Every path below, with what it is; times to the nanosecond, but for directories that something was made in."""
    found = {}
    for path, directories, files in os.walk(os.fsencode(directory)):
        for name in directories + files:
            full = os.path.join(path, name)
            is_ = os.lstat(full)
            kind = stat.S_IFMT(is_.st_mode)
            content = None
            if kind == stat.S_IFREG:
                with open(full, "rb") as file:
                    content = file.read()
            elif kind == stat.S_IFLNK:
                content = os.readlink(full)
            mode = is_.st_mode & 0o1777 if kind != stat.S_IFLNK else 0
            found[os.path.relpath(full, os.fsencode(directory))] = (kind, mode, is_.st_mtime_ns, content)
    return found


class CopyTest(world.World):

    def setUp(self):
        super().setUp()
        self.here = self.directory("here")
        self.target = f"dir:{self.source}"
        self.make_tree(os.path.join(self.source, "tree"))

    def make_tree(self, top):
        os.makedirs(os.path.join(top, "sub/deeper"))
        os.makedirs(os.path.join(top, "empty"))
        for name, content in (("text", b"text\n"), ("nothing", b""), ("sub/deeper/bytes", os.urandom(70_000)),
                              ("big", os.urandom(BIG))):
            with open(os.path.join(top, name), "wb") as file:
                file.write(content)
        with open(os.path.join(os.fsencode(top), b"odd \xff\nname"), "wb") as file:
            file.write(b"odd")
        with open(os.path.join(top, "holes"), "wb") as file:
            file.truncate(64 << 20)
            file.seek(32 << 20)
            file.write(b"in the middle")
        os.link(os.path.join(top, "text"), os.path.join(top, "sub/second"))
        for link, target in (("link", "text"), ("absolute", "/tree/sub/deeper"), ("dangling", "nowhere")):
            os.symlink(target, os.path.join(top, link))
        os.chmod(os.path.join(top, "text"), 0o640)
        os.chmod(os.path.join(top, "sub"), 0o750)
        os.chmod(os.path.join(top, "sub/deeper"), 0o555)
        for name, seconds in (("text", 1_000_000_000), ("sub/deeper/bytes", 1), ("sub/deeper", 2), ("empty", 3), ("sub", 4)):
            os.utime(os.path.join(top, name), ns=(seconds * 10**9, seconds * 10**9 + 123_456_789))
        subprocess.run(["chown", "-hR", f"{self.user}:{self.user}", top], check=True)

    def test_a_tree_comes_whole(self):
        self.succeed("cp", f"{self.target}:/tree", self.here)
        copy = os.path.join(self.here, "tree")
        self.assertEqual(shape(copy), shape(os.path.join(self.source, "tree")))
        self.assertEqual(os.stat(os.path.join(copy, "text")).st_ino, os.stat(os.path.join(copy, "sub/second")).st_ino)
        self.assertLess(os.stat(os.path.join(copy, "holes")).st_blocks * 512, 4 << 20)

    def test_a_tree_goes_whole(self):
        local = os.path.join(self.here, "mine")
        self.make_tree(local)
        self.succeed("cp", local, f"{self.target}:/")
        self.assertEqual(shape(os.path.join(self.source, "mine")), shape(local))
        self.assertLess(os.stat(os.path.join(self.source, "mine/holes")).st_blocks * 512, 4 << 20)
        # Once more, over what is there, which had become something else.
        for name in ("text", "link"):
            os.unlink(os.path.join(self.source, "mine", name))
            with open(os.path.join(self.source, "mine", name), "w", encoding="utf-8") as file:
                file.write("something much longer than it was")
            os.chown(os.path.join(self.source, "mine", name), self.user, self.user)
        self.succeed("cp", f"{local}/.", f"{self.target}:/mine")
        self.assertEqual(shape(os.path.join(self.source, "mine")), shape(local))

    def test_where_it_goes(self):
        self.succeed("cp", f"{self.target}:/tree/text", os.path.join(self.here, "renamed"))
        self.succeed("cp", f"{self.target}:/tree/text", f"{self.target}:/tree/nothing", f"{self.here}/")
        self.succeed("cp", f"{self.target}:/tree/sub/.", os.path.join(self.here, "contents"))
        self.succeed("cp", f"{self.target}:/tree/sub", os.path.join(self.here, "contents"))
        self.assertEqual(sorted(os.listdir(self.here)), ["contents", "nothing", "renamed", "text"])
        self.assertEqual(sorted(os.listdir(os.path.join(self.here, "contents"))), ["deeper", "second", "sub"])
        there = self.directory("there")
        subprocess.run(self.command("cp", f"{self.target}:/tree/sub/.", "."), env=self.environment(), check=True, cwd=there,
                       timeout=world.LIMIT)
        self.assertEqual(sorted(os.listdir(there)), ["deeper", "second"])

    def test_cat_follows_links_inside_of_the_target(self):
        with open(os.path.join(self.here, "outside"), "w", encoding="utf-8") as file:
            file.write("of this machine\n")
        os.symlink(os.path.join(self.here, "outside"), os.path.join(self.source, "escape"))
        os.symlink("../../../../tree/text", os.path.join(self.source, "up"))
        os.symlink("loop", os.path.join(self.source, "loop"))
        self.assertEqual(self.succeed("cat", f"{self.target}:/tree/link", f"{self.target}:/up"), "text\ntext\n")
        self.assertEqual(len(self.succeed("cat", f"{self.target}:/tree/holes")), 64 << 20)
        for path, why in (("/escape", "No such file"), ("/loop", "Too many levels"), ("/tree", "Is a directory"),
                          ("/tree/text/x", "Not a directory")):
            self.fail_with(1, why, "cat", f"{self.target}:{path}")

    def test_nothing_is_written_through_a_link(self):
        """Neither one that was here before, nor one that comes with the tree."""
        elsewhere = self.directory("elsewhere")
        os.symlink(elsewhere, os.path.join(self.here, "tree"))
        # The user's own link is followed, as cp follows it.
        self.succeed("cp", f"{self.target}:/tree/sub/.", os.path.join(self.here, "tree"))
        self.assertEqual(sorted(os.listdir(elsewhere)), ["deeper", "second"])
        os.unlink(os.path.join(self.here, "tree"))
        os.mkdir(os.path.join(self.here, "tree"))
        trap = self.directory("trap")
        os.symlink(trap, os.path.join(self.here, "tree/sub"))
        subprocess.run(["chown", "-hR", f"{self.user}:{self.user}", self.here], check=True)
        self.fail_with(1, "could not be copied", "cp", f"{self.target}:/tree", self.here)
        self.assertEqual(os.listdir(trap), [])

    def test_what_cannot_be_copied_is_told_and_the_rest_is(self):
        os.mkfifo(os.path.join(self.source, "tree/fifo"))
        result = self.run_command("cp", "-v", f"{self.target}:/tree", self.here)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("/tree/fifo: left out: a device, FIFO or socket", result.stderr)
        self.assertIn("bytes", result.stderr)
        os.mkdir(os.path.join(self.source, "taken"))
        with open(os.path.join(self.here, "taken"), "w", encoding="utf-8") as file:
            file.write("a file here, a directory there")
        result = self.run_command("cp", f"{self.target}:/.", os.path.join(self.here, "."))
        self.assertEqual(result.returncode, 1)
        self.assertIn("/taken: ", result.stderr)
        self.assertTrue(os.path.exists(os.path.join(self.here, "tree/text")))

    def test_set_id_bits_stay_behind(self):
        os.chmod(os.path.join(self.source, "tree/text"), 0o6755)
        self.succeed("cp", f"{self.target}:/tree/text", self.here)
        self.assertEqual(os.stat(os.path.join(self.here, "text")).st_mode & 0o7777, 0o755)
        os.chmod(os.path.join(self.here, "text"), 0o6755)
        self.succeed("cp", os.path.join(self.here, "text"), f"{self.target}:/sent")
        self.assertEqual(os.stat(os.path.join(self.source, "sent")).st_mode & 0o7777, 0o755)

    def test_diff_compares_two_targets(self):
        other = self.directory("other")
        subprocess.run(["cp", "-a", os.path.join(self.source, "tree"), other], check=True)
        self.succeed("diff", self.target, f"dir:{other}", "/tree")
        with open(os.path.join(other, "tree/text"), "a", encoding="utf-8") as file:
            file.write("more\n")
        result = self.run_command("diff", self.target, f"dir:{other}", "/tree")
        self.assertEqual(result.returncode, 1)
        self.assertIn("+more", result.stdout)
        self.assertIn("differ in /tree", result.stderr)

    def test_mistakes(self):
        self.fail_with(2, "what and where to", "cp", f"{self.target}:/tree")
        self.fail_with(2, "is in a target", "cp", "here", "there")
        self.fail_with(2, "copy to this machine first", "cp", f"{self.target}:/a", f"{self.target}:/b")
        self.fail_with(2, "no TARGET:/PATH", "cat", "/etc/hosts")
        self.fail_with(2, "TARGET TARGET /PATH", "diff", "docker/a", "docker/b", "etc")
        self.fail_with(1, f"{self.target}:/nothing: No such file", "cp", f"{self.target}:/nothing", self.here)
        self.fail_with(1, f"mirrorfs: {self.here}/nothing: No such file", "cp", f"{self.here}/nothing", f"{self.target}:/")
        self.fail_with(1, "Not a directory", "cp", os.path.join(self.source, "tree/text"), f"{self.target}:/tree/text/")


class UserCopyTest(CopyTest):
    user = world.NOBODY

    def test_what_may_not_be_read_is_told(self):
        os.chmod(os.path.join(self.source, "tree/text"), 0)
        result = self.run_command("cp", f"{self.target}:/tree", self.here)
        self.assertEqual(result.returncode, 1)
        self.assertIn("/tree/text: Permission denied", result.stderr)
        self.assertTrue(os.path.exists(os.path.join(self.here, "tree/big")))


if __name__ == "__main__":
    world.main()
