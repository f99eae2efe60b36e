"""Every file operation that users of tools that preload a library were bitten by, in the view and on a native directory."""

import json
import os
import shutil
import subprocess
import tempfile

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
        for name, result in expected.items():
            self.assertNotIsInstance(result, dict, f"{name} fails natively")
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

    def test_in_the_private_layer(self):
        self.compare()
        self.assert_untouched()
        self.fails_without_agent(f"python3 -B {self.place}/file_operations.py {self.path}")

    def test_in_the_container(self):
        self.compare("--fs-mode", "write")
        self.assertEqual(program_world.texts_of_tree(self.inside, times=False),
                         program_world.texts_of_tree(f"{self.place}/native", times=False))
        self.fails_without_agent(f"python3 -B {self.place}/file_operations.py {self.path}")

    def test_the_containers_links_to_run(self):
        """/var/run is a link to /run in every distribution."""
        run = f"{self.container}/var/run"
        if not os.path.lexists(run):
            os.symlink("/run", run)
            self.addCleanup(os.unlink, run)
        self.write("message", "of this machine\n")
        os.makedirs("/run/test", exist_ok=True)
        shutil.copy(f"{self.place}/message", "/run/test/message")
        self.begin()
        self.remote("readlink /var/run; cat /var/run/test/message", "/run\nof this machine\n")
        self.fails_without_agent("cat /var/run/test/message")

    def test_started_elsewhere(self):
        """With a working directory of the container's, which this machine's is not, and with closed input."""
        self.put("data", f"{self.nonce}\n")
        self.put("sub/inner", f"inner {self.nonce}\n")
        self.begin("--read-only", f"^{self.path}(/|$)", cwd=self.path)
        self.remote("pwd; cat data sub/../sub/inner ../$(basename $PWD)/data")
        self.remote("python3 -c 'file = open(\"data\"); print(file.fileno(), file.read())' <&-", f"0 {self.nonce}")
        self.fails_without_agent("cat data")


class VolumeTest(program_world.ProgramWorld):

    def test_files_of_a_volume(self):
        """Under a directory that is this machine's by default the target's volumes are the container's."""
        volume = tempfile.mkdtemp(prefix="mirrorfs-volume-", dir="/var/tmp")  # where the container's engine sees it
        self.addCleanup(shutil.rmtree, volume)
        with open(f"{volume}/nonce", "w", encoding="utf-8") as file:
            file.write(self.nonce + "\n")
        name = self.lab.docker("run", "-d", "--network", "none", "--volume", f"{volume}:/opt/volume", "mirrorfs-lab:1")
        self.addCleanup(self.lab.docker, "rm", "-f", name)
        self.target = f"docker/{name}"
        self.begin()
        self.remote("cat /opt/volume/nonce; echo changed > /opt/volume/nonce; cat /opt/volume/nonce", f"{self.nonce}\nchanged\n")
        with open(f"{volume}/nonce", encoding="utf-8") as file:
            self.assertEqual(file.read(), self.nonce + "\n")
        self.fails_without_agent("ls /opt/volume")


class UserFileOperationsTest(program_world.UserWorld, FileOperationsTest):
    """All of it, as an ordinary user."""


if __name__ == "__main__":
    program_world.main()
