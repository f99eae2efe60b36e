#!/usr/bin/python3
"""Containers killed while a program writes through a mount: what fsync acknowledged lies in the container's upper
directory, the program gets an error soon, and the mount point stays.
"""
import argparse
import errno
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import LabCase  # noqa: E402

PROGRAMS, KILLS, SEED = "", 20, 1
RECORD = 4096
GONE = {errno.EHOSTDOWN, errno.ESTALE}
# The promise is 1 s. A machine with two busy cores is given more, a hang still shows.
PATIENCE = 10


def record(number):
    return (b"record %d " % number * RECORD)[:RECORD]


class Writer(threading.Thread):
    """Writes records and fsyncs each, until there is an error."""

    def __init__(self, path, enough):
        super().__init__()
        self.path, self.enough = path, enough
        self.begun = []  # when record N was begun; N has been acknowledged
        self.going = threading.Event()  # set when `enough` records are acknowledged, or it has failed
        self.error = None

    def run(self):
        try:
            with open(self.path, "xb", buffering=0) as file:
                while True:
                    self.write(file)
        except OSError as error:
            self.error = error
        self.going.set()

    def write(self, file):
        begun, number = time.monotonic(), len(self.begun)
        file.write(record(number))
        os.fsync(file.fileno())
        self.begun.append(begun)
        if len(self.begun) == self.enough:
            self.going.set()


class KillMountTest(LabCase):
    def start(self, name):
        """(pid, upper directory)"""
        self.lab.docker("run", "--detach", "--name", name, "--network", "none", "mirrorfs-lab:1")
        pid = int(self.lab.docker("inspect", "--format", "{{.State.Pid}}", name))
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as mounts:
            root = next(line for line in mounts if line.split()[4] == "/")
        return pid, root.split("upperdir=")[1].split(",")[0]

    def mirrorfs(self, *arguments):
        environment = {**os.environ, "DOCKER_HOST": self.lab.DOCKER_HOST}
        subprocess.run([PROGRAMS + "/mirrorfs", *arguments], check=True, env=environment)

    def kill_one(self, name, enough):
        """How many records were acknowledged."""
        mount_point = os.path.join(self.lab.parent, "m")
        pid, upper = self.start(name)
        self.mirrorfs("mount", "--rw", "--mkdir", "docker/" + name, mount_point)
        try:
            writer = Writer(mount_point + "/srv/records", enough)
            writer.start()
            writer.going.wait()
            self.assertIsNone(writer.error)
            process = os.pidfd_open(pid)
            signal.pidfd_send_signal(process, signal.SIGKILL)
            dead = self.wait_until_dead(process)
            writer.join(PATIENCE)
            self.assertFalse(writer.is_alive(), "the program still waits")
            self.check(writer, upper, dead)
            self.check_mount_is_dead_and_there(mount_point)
        finally:
            self.mirrorfs("umount", "--force", mount_point)
            self.lab.docker("rm", "--force", name)
        return len(writer.begun)

    def wait_until_dead(self, process):
        select.select([process], [], [])
        os.close(process)
        return time.monotonic()

    def check(self, writer, upper, dead):
        self.assertIn(writer.error.errno, GONE, writer.error)
        self.assertEqual([begun for begun in writer.begun if begun > dead], [])
        with open(upper + "/srv/records", "rb") as records:
            for number in range(len(writer.begun)):
                self.assertEqual(records.read(RECORD), record(number), f"record {number} is missing")

    def check_mount_is_dead_and_there(self, mount_point):
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            self.assertIn(mount_point, [line.split()[1] for line in mounts])
        for attempt in (lambda: os.mkdir(mount_point + "/srv/after"), lambda: os.listdir(mount_point + "/opt"),
                        lambda: open(mount_point + "/srv/new", "w", encoding="utf-8")):
            with self.assertRaises(OSError) as caught:
                attempt()
            self.assertIn(caught.exception.errno, GONE)

    def test_kills(self):
        chance = random.Random(SEED)
        acknowledged = [self.kill_one(f"mounted-{number}", chance.randint(1, 300)) for number in range(KILLS)]
        print(f"\nseed {SEED}: {KILLS} kills through a mount, {sum(acknowledged)} records acknowledged, 0 missing, "
              "0 acknowledged after death", flush=True)


def main():
    global PROGRAMS, KILLS, SEED
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", help="directory of mirrorfs, mirrorfsd and mirrorfs-agent")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    PROGRAMS, KILLS, SEED = os.path.realpath(arguments.programs), arguments.kills, arguments.seed
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
