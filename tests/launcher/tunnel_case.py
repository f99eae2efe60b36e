"""Mounts through an agent that is put into the container (--agent exec): what the tests of it have in common."""

import os
import subprocess
import sys

import tunnel_streams
import world

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import LabCase  # noqa: E402

PLACES = ("/tmp", "/var/tmp", "/run", "/dev/shm", "/root")


class TunnelCase(LabCase, tunnel_streams.TunnelStreams, world.World):
    """A container of its own for each test; at the end nothing of us may be in it."""

    runtimes = ("docker",)

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")
        self.name = self.run_container()
        self.target = f"docker/{self.name}"
        self.options = ("--agent", "exec", "--runtime-socket", self.lab.DOCKER_WEB_SOCKET)

    def environment(self):
        return {**super().environment(), "MIRRORFS_DOCKER": "/usr/bin/docker", "HOME": self.place}

    def run_container(self, *options, image="mirrorfs-lab:1", command=()):
        name = self.lab.docker("run", "-d", "--network", "none", *options, image, *command)[:12]
        self.addCleanup(self.lab.docker, "rm", "-f", name)
        return name

    def inside(self, *command):
        return self.lab.docker("exec", self.name, *command)

    def mount(self, *options):
        self.succeed("mount", *self.options, *options, self.target, self.mountpoint)

    def umount(self):
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def path(self, name):
        return os.path.join(self.mountpoint, name)

    def mount_namespace(self):
        pid = self.lab.docker("inspect", "-f", "{{.State.Pid}}", self.name)
        return os.stat(f"/proc/{pid}/ns/mnt").st_ino

    def in_container(self, *words):
        """Process ids, seen from here, of what runs in the container with all these words in its command line."""
        namespace, found = self.mount_namespace(), []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode(errors="replace")
                if os.stat(f"/proc/{pid}/ns/mnt").st_ino == namespace and all(word in line for word in words):
                    found.append(int(pid))
            except OSError:
                continue
        return found

    def agents(self):
        return self.in_container("/.mirrorfs-agent-", " --target ")

    def left_in_container(self):
        """Directories and processes of ours."""
        found = [f"process {pid}" for pid in self.in_container("mirrorfs-agent")]
        for place in PLACES:
            names = self.inside("sh", "-c", f"ls -a {place} 2>/dev/null || true").split()
            found += [f"{place}/{name}" for name in names if name.startswith(".mirrorfs")]
        return found

    def assert_container_is_clean(self):
        self.wait_for(lambda: not self.left_in_container(), f"the end of {self.left_in_container()}")

    def image_of(self, name, *files):
        """An image with nothing but these files, source=/destination."""
        archive = os.path.join(self.place, f"{name}.tar")
        words = [word for file in files for word in ("--file", file)]
        packer = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../agent/image/pack_image.py")
        subprocess.run([sys.executable, packer, "--name", name, *words, "--output", archive], check=True)
        self.lab.docker("load", "-i", archive)
        self.addCleanup(self.lab.docker, "rmi", "-f", name)
        return name
