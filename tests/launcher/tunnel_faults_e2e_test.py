"""What happens when a part of a mount through --agent exec dies: nothing is lost, nothing is done twice, nothing stays."""

import errno
import hashlib
import os
import signal
import threading
import time
import unittest

import tunnel_case
import world

SIZE = 200 << 20
GONE = (errno.ESTALE, errno.EHOSTDOWN)


class TunnelFaultsTest(tunnel_case.TunnelCase):

    def setUp(self):
        super().setUp()
        self.mount("--rw", "--deadline", "30s")

    def cut(self):
        """Kills what carries the streams, in the middle of whatever they carry."""
        for pid in self.clients():
            os.kill(pid, signal.SIGKILL)

    def kill_agent(self):
        for pid in self.agents():
            os.kill(pid, signal.SIGKILL)

    def meanwhile(self, work, disturb, times, pause=0.4):
        """Runs `work` while `disturb` is called so many times; both must have overlapped."""
        result, failure = [], []

        def run():
            try:
                result.append(work())
            except OSError as error:
                failure.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        overlapped = 0
        for _ in range(times):
            thread.join(pause)
            if not thread.is_alive():
                break
            disturb()
            overlapped += 1
        thread.join(4 * world.LIMIT)
        self.assertFalse(thread.is_alive())
        self.assertEqual(failure, [])
        self.assertGreater(overlapped, 0)
        return result[0]

    def test_cut_while_reading(self):
        self.inside("sh", "-c", f"head -c {SIZE} /dev/urandom > /var/big")
        expected = self.inside("sha256sum", "/var/big").split()[0]

        def read():
            digest = hashlib.sha256()
            with open(self.path("var/big"), "rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
            return digest.hexdigest()

        self.assertEqual(self.meanwhile(read, self.cut, 3), expected)
        self.umount()
        self.assert_container_is_clean()

    def test_cut_while_writing(self):
        block, digest = os.urandom(1 << 20), hashlib.sha256()

        def write():
            with open(self.path("var/big"), "wb") as file:
                for number in range(SIZE >> 20):
                    piece = number.to_bytes(8, "big") + block[8:]
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())

        self.meanwhile(write, self.cut, 3)
        self.assertEqual(self.inside("sha256sum", "/var/big").split()[0], digest.hexdigest())
        self.umount()

    def test_cut_while_appending_and_making_directories(self):
        """Exactly once: no line twice, none missing, no directory that is there already."""
        def work():
            for number in range(300):
                with open(self.path("var/lines"), "a", encoding="utf-8") as file:
                    file.write(f"{number}\n")
                os.mkdir(self.path(f"var/d{number}"))
                os.rename(self.path(f"var/d{number}"), self.path(f"var/e{number}"))

        self.meanwhile(work, self.cut, 5, pause=0.5)
        self.assertEqual(self.inside("cat", "/var/lines"), "\n".join(map(str, range(300))))
        self.umount()

    def test_a_killed_agent_is_put_there_again(self):
        before = self.agents()
        with open(self.path("lower/regular.txt"), encoding="utf-8") as file:
            self.kill_agent()
            self.wait_for(lambda: self.agents() not in ([], before), "another agent")
            self.assertEqual(file.read().strip(), "from the first layer")
        self.assertTrue(os.path.isdir(self.path("lower")))
        self.wait_for(lambda: self.status(self.mountpoint)["state"] == "healthy", "health")
        self.umount()
        # Also what the killed one has left.
        self.assert_container_is_clean()

    def test_a_killed_tunnel_is_started_again(self):
        tunnel = self.status(self.mountpoint)["agent_pid"]
        os.kill(tunnel, signal.SIGKILL)
        self.wait_for(lambda: self.status(self.mountpoint)["agent_pid"] not in (0, tunnel), "another tunnel")
        self.assertTrue(os.path.isdir(self.path("lower")))
        self.umount()
        self.assert_container_is_clean()

    def check_that_it_is_gone(self):
        self.wait_for(lambda: self.status(self.mountpoint)["state"] == "target gone", "the state")
        self.wait_for(lambda: self.error_of(os.stat, self.path("etc/hosts")) in GONE, "an error")
        started = time.monotonic()
        self.assertIn(self.error_of(os.mkdir, self.path("new")), GONE)
        self.assertIn(self.error_of(os.listdir, self.path("lower")), GONE)
        self.assertLess(time.monotonic() - started, 10)  # not the deadline of 30 s
        self.umount()

    def test_a_container_that_ends(self):
        self.lab.docker("kill", self.name)
        self.check_that_it_is_gone()

    def test_a_container_that_is_started_anew(self):
        self.lab.docker("restart", "-t", "0", self.name)
        self.check_that_it_is_gone()
        # The agent was killed with the container, whose files are those of before: the next one clears away after it.
        self.mount()
        self.umount()
        self.assert_container_is_clean()

    def test_a_tunnel_and_its_container_that_end_together(self):
        tunnel = self.status(self.mountpoint)["agent_pid"]
        os.kill(tunnel, signal.SIGSTOP)
        self.lab.docker("restart", "-t", "0", self.name)
        os.kill(tunnel, signal.SIGKILL)
        self.check_that_it_is_gone()

    def test_without_its_keeper_nothing_stays_in_the_container(self):
        os.kill(self.status(self.mountpoint)["pid"], signal.SIGKILL)
        self.assert_container_is_clean()
        self.succeed("umount", "--force", self.mountpoint)
        self.assert_nothing_left()

    def test_clients_of_streams_do_not_add_up(self):
        for _ in range(3):
            self.cut()
            self.wait_for(lambda: os.path.isdir(self.path("lower")), "an answer")
        self.wait_for(lambda: len(self.in_container("relay")) <= 4, "the end of relays without a client")
        self.umount()


if __name__ == "__main__":
    world.main()
