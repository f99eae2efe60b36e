"""Every file operation that users of tools that preload a library were bitten by, in the view and on a native directory."""

import json
import os
import shutil
import subprocess
import unittest

import file_operations
import program_world


class FileOperationsTest(program_world.ProgramWorld):

    def make_trees(self, directory):
        os.makedirs(directory, exist_ok=True)
        for number in range(len(file_operations.ITEMS)):
            file_operations.make_tree(f"{directory}/{number}")
        subprocess.run(["chown", "-R", "-h", f"{self.user}:{self.user}", directory], check=True)

    def run_natively(self, directory):
        line = ["python3", "-B", f"{self.place}/file_operations.py", directory]
        if self.user:
            line = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--", *line]
        return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)

    def compare(self, *options):
        shutil.copy(file_operations.__file__, self.place)
        self.make_trees(f"{self.place}/native")
        self.make_trees(self.inside)
        expected = self.run_natively(f"{self.place}/native")
        self.begin(*options)
        before = self.session.calls()
        output, code = self.session.run(f"python3 -B {self.place}/file_operations.py {self.path}")
        self.assertEqual(code, 0, output)
        self.assertGreater(self.session.calls(), before)
        found = json.loads(output)
        self.assertEqual(sorted(found), sorted(expected))
        for name, result in expected.items():
            with self.subTest(operation=name):
                self.assertEqual(found[name], result)
        self.assertEqual(os.listdir(self.path), [], "written on this machine")
        self.session.end()

    def test_in_the_private_layer(self):
        self.compare()
        self.assertEqual(file_operations.read(f"{self.inside}/0/text"), file_operations.TEXT)
        self.assertFalse(os.path.exists(f"{self.inside}/0/sub/deeper/made"))

    def test_in_the_container(self):
        self.compare("--fs-mode", "write")
        self.assertTrue(os.path.exists(f"{self.inside}/0/sub/deeper/made"))

    def test_a_slow_reader_costs_one_call(self):
        self.put("seven", "x" * 7000)
        self.begin()
        self.session.run(f"ls -l {self.path}/seven; python3 -c pass")
        before = self.session.calls()
        program = f"f = open('{self.path}/seven', 'rb', buffering=0); print(sum(len(f.read(1)) for _ in range(7001)))"
        output, _ = self.session.run(f"python3 -c \"{program}\"")
        self.assertEqual(output.strip(), "7000")
        self.assertLessEqual(self.session.calls() - before, 3)
        self.session.end()

    def test_the_containers_links_to_run(self):
        """/var/run is a link to /run in every distribution."""
        run = os.path.join(self.root if not self.user else self.container, "var/run")
        if not os.path.lexists(run):
            os.symlink("/run", run)
            self.addCleanup(os.unlink, run)
        os.makedirs("/run/test", exist_ok=True)
        self.write("message", "of this machine\n")
        shutil.copy(f"{self.place}/message", "/run/test/message")
        self.begin()
        self.remote("readlink /var/run; cat /var/run/test/message", "/run\nof this machine\n")
        self.session.end()


class UserFileOperationsTest(program_world.UserWorld, FileOperationsTest):
    """All of it, as an ordinary user."""


if __name__ == "__main__":
    program_world.main()
