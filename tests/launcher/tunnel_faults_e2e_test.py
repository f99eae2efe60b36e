"""What happens when a part of a mount through --agent exec dies: nothing is lost, nothing is done twice, nothing stays."""

import errno
import os
import signal
import time

import tunnel_case
import world
from tunnel_streams import SIZE

GONE = (errno.ESTALE, errno.EHOSTDOWN)


class TunnelFaultsTest(tunnel_case.TunnelCase):

    def setUp(self):
        super().setUp()
        self.mount("--rw", "--deadline", "30s")

    def kill_agent(self):
        for pid in self.agents():
            os.kill(pid, signal.SIGKILL)

    def test_cut_while_reading(self):
        self.inside("sh", "-c", f"head -c {SIZE} /dev/urandom > /var/big")
        expected = self.inside("sha256sum", "/var/big").split()[0]
        self.assertEqual(self.meanwhile(lambda: self.digest_of(self.path("var/big")), self.cut, 3), expected)
        self.umount()
        self.assert_container_is_clean()

    def test_cut_while_writing(self):
        digest = self.meanwhile(lambda: self.write_big(self.path("var/big")), self.cut, 3)
        self.assertEqual(self.inside("sha256sum", "/var/big").split()[0], digest)
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
