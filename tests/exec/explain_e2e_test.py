"""`mirrorfs explain` says what a program in the view then finds: for generated paths, lists and modes, in listings, reading and writing."""

import errno
import itertools
import json
import os
import random
import subprocess

import exec_world

TREE = "/srv"  # covered by a file system of the test's own
DIRECTORIES = ("app", "Data", "node_modules", "conf.d", ".asdf", "secret", "dir with space", "ü")
FILES = ("a.js", "b.log", "c.py", "README", "lib.so", "package.json", ".yarnrc", "x.conf", "UPPER.LOG", "line\nend")

POLICIES = {
    "defaults": [],
    "write": ["--fs-mode", "write"],
    "localwithoverrides": ["--fs-mode", "localwithoverrides", "--read-write", "^/srv/(app|data)/", "--read-only", r"^/srv/.*\.py$"],
    "lists": ["--not-found", "secret", "--read-write", r"\.log$", "--read-only", "^/srv/app/", "--local", "^/srv/data/"],
    "a list in mode write": ["--fs-mode", "write", "--read-only", "^/srv/app(/|$)", "--local", r"[^/]\.conf$"],
    "mapping": ["--mapping", "^/srv/Data(/|$)=/srv/app$1", "--mapping",
                "/secret(/|$)=/node_modules$1", "--read-only", "^/srv/app/"],
}

# Looks for every path in its directory, reads it, then adds to it; says how each went.
PROGRAM = """
import json, os, sys
answers = []
for path in json.load(open(sys.argv[1])):
    try: listed = os.listdir(os.path.dirname(path)).count(os.path.basename(path))
    except OSError as error: listed = 0
    try:
        with open(path) as file: text = file.read()
    except OSError as error: text = error.errno
    try:
        with open(path, "r+") as file: file.seek(0, 2); file.write("+"); written = True
    except OSError as error: written = error.errno
    answers.append([listed, text, written])
json.dump(answers, open(sys.argv[2], "w"))
"""


def some_paths(seed, count):
    """Paths of files, none of which is another's directory."""
    every = [f"{TREE}/{'/'.join(directories)}/{name}" for depth in (1, 2)
             for directories in itertools.product(DIRECTORIES, repeat=depth) for name in FILES]
    return sorted(random.Random(seed).sample(every, count))


class ExplainTest(exec_world.ExecWorld):

    def setUp(self):
        super().setUp()
        subprocess.run(["mount", "-t", "tmpfs", "explain", TREE], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", TREE], check=True)
        self.work = self.directory("work")
        self.write("work/program.py", PROGRAM)
        self.files = some_paths(1, 150)

    def has(self, side, path):
        """Most files are on both sides, some on one."""
        return self.files.index(path) % 5 != ("container", "local").index(side)

    def fill(self, root, side):
        """Every file of one side says which side and which path it is."""
        for path in self.files:
            if not self.has(side, path):
                continue
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with open(root + path, "w", encoding="utf-8") as file:
                file.write(f"{side} {path}")

    def content(self, root, path):
        with open(root + path, encoding="utf-8") as file:
            return file.read()

    def explain(self, options):
        output = subprocess.run(self.command("explain", "--target", self.target, "-o", "json", *options, *self.files),
                                cwd=self.work, env=self.environment(), capture_output=True, check=True).stdout
        return json.loads(output)

    def find_out(self, options):
        """What the program finds, and then where its writes are: container, local, layer or nowhere."""
        self.fill(self.container, "container")
        self.fill("", "local")
        with open(os.path.join(self.work, "paths"), "w", encoding="utf-8") as file:
            json.dump(self.files, file)
        self.output_of("/usr/bin/python3", "program.py", "paths", "answers", cwd=self.work, options=options)
        with open(os.path.join(self.work, "answers"), encoding="utf-8") as file:
            return json.load(file)

    def changed(self, path):
        sides = {"container": self.container, "local": ""}
        return [side for side, root in sides.items() if self.has(side, path) and self.content(root, path).endswith("+")]

    def test_every_path_is_as_it_was_explained(self):
        for name, options in POLICIES.items():
            with self.subTest(name):
                explained = self.explain(options)
                found = self.find_out(options)
                seen = set()
                for answer, (listed, text, written) in zip(explained, found, strict=True):
                    self.check(answer, listed, text, written)
                    seen.add((answer["side"], answer["writes"]))
                self.assertGreater(len(seen), 1, "this policy tells nothing apart")

    def check(self, answer, listed, text, written):
        side, meant = answer["side"], answer["meant"]
        there = side != "not_found" and meant in self.files and self.has(side, meant)
        if meant == answer["path"]:  # listings have the names that are there, not those that are meant by others
            self.assertEqual(listed, 1 if there else 0, answer)
        if not there:
            self.assertEqual((text, written), (errno.ENOENT, errno.ENOENT), answer)
            return
        # A file may have been written under two names, if a mapping leads to it.
        self.assertIsInstance(text, str, (answer, text))
        self.assertEqual(text.rstrip("+"), f"{side} {meant}", answer)
        self.assertIs(written, True, answer)
        self.assertEqual(self.changed(meant), [] if answer["writes"] == "layer" else [answer["writes"]], answer)


if __name__ == "__main__":
    exec_world.main()
