"""Test cases on real runtimes: one lab for a module, and commands run in it."""
import os
import shutil
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
LAB = os.path.join(HERE, "lab")


class Lab:
    """A lab of the given runtimes; its facts are attributes: lab.DOCKER_WEB_PID."""

    def __init__(self, *runtimes):
        self.parent = tempfile.mkdtemp(prefix="mlab", dir="/var/tmp")
        os.chmod(self.parent, 0o711)
        self.directory = os.path.join(self.parent, "l")
        try:
            subprocess.run([LAB, "up", self.directory, *runtimes], check=True, stdin=subprocess.DEVNULL)
        except BaseException:
            self.down()
            raise
        facts = subprocess.run([LAB, "env", self.directory], check=True, capture_output=True, text=True).stdout
        for line in facts.splitlines():
            key, value = line.split("=", 1)
            setattr(self, key, value)

    def down(self):
        if os.path.exists(self.directory):
            subprocess.run([LAB, "down", self.directory], check=True, stdin=subprocess.DEVNULL)
        shutil.rmtree(self.parent)

    def inside(self, *command):
        """The command line that runs `command` in the lab, as root."""
        return [LAB, "exec", self.directory, *command]

    def as_user(self, *command):
        return [LAB, "user", self.directory, *command]

    def docker(self, *arguments):
        return subprocess.run(["/usr/bin/docker", "-H", self.DOCKER_HOST, *arguments], check=True, capture_output=True,
                              text=True).stdout.strip()


class LabCase(unittest.TestCase):
    runtimes = ("docker",)

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root")
        cls.lab = Lab(*cls.runtimes)

    @classmethod
    def tearDownClass(cls):
        cls.lab.down()
