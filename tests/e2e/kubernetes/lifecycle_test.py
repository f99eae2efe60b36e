#!/usr/bin/python3 -B
"""What a mount goes through: a way that stands still, a machine that sleeps, an API server that is away, many at once."""

import concurrent.futures
import hashlib
import os
import secrets
import signal
import subprocess
import threading
import time

import agent_modes
from agent_modes import AgentCase
from cluster import pod

SIZE = 200_000_000


def descendants(pid):
    """All processes below it."""
    found = []
    for child in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split():
        found += [int(child), *descendants(child)]
    return found


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")
    except OSError:
        return []


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class LifecycleCase(AgentCase):
    def kubectls_of(self, mountpoint, *words):
        """The kubectl programs of the mount's tunnel whose command has one of these words."""
        tunnel = self.state_of(mountpoint)["agent_pid"]
        return [pid for pid in descendants(tunnel) if set(words) & set(command_of(pid))]

    def everything_of(self, mountpoint):
        """Keeper, daemon, tunnel and all that they run."""
        state = self.state_of(mountpoint)
        return [state["pid"], *descendants(state["pid"])]

    def log_of(self, mountpoint):
        return self.read(self.state_of(mountpoint)["log"])

    def big_file(self):
        self.kubectl("exec", "web", "--", "sh", "-c", f"head -c {SIZE} /dev/urandom > /big")
        return self.kubectl("exec", "web", "--", "sha256sum", "/big").split()[0]

    def cutting(self, mountpoint, moments):
        """Kills the programs that carry the mount's streams each time that one of the moments has come."""
        cuts = []

        def at(done):
            while moments and done >= moments[0]:
                moments.pop(0)
                pids = self.kubectls_of(mountpoint, "port-forward", "relay")
                send(pids, signal.SIGKILL)
                cuts.append(len(pids))
        return at, cuts


class StandstillTest(LifecycleCase):
    def check_standstill(self, mode, *words):
        self.target()
        self.kubectl("exec", "web", "--", "sh", "-c", f"echo {self.nonce} > /later")
        _, mountpoint = self.mount_pod("--agent", mode, "--rw")
        self.assert_reads_nonce(mountpoint)
        stopped = self.kubectls_of(mountpoint, *words)
        self.assertTrue(stopped)
        send(stopped, signal.SIGSTOP)
        self.addCleanup(send, stopped, signal.SIGCONT)
        # Nothing fails, though nothing can pass any more until the standstill has been noticed: the deadline is 10 s.
        self.assertEqual(self.read(mountpoint, "later"), self.nonce)
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)
        self.assertIn("nothing has been heard from the agent", self.log_of(mountpoint))
        self.assertEqual(self.state_of(mountpoint)["state"], "healthy")

    def test_forwarded_ports_that_stand_still(self):
        self.check_standstill("job", "port-forward")

    def test_streams_of_exec_that_stand_still(self):
        self.check_standstill("exec", "relay")


class SleepTest(LifecycleCase):
    def check_sleep(self, mode, *words, during):
        self.target()
        _, mountpoint = self.mount_pod("--agent", mode, "--deadline", "60s", *words)
        # The file is held by a program of its own: this one's children would close it, and wait for that.
        holder = subprocess.Popen(["sh", "-c", 'exec 3<"$1"; echo held; read -r go; cat <&3', "sh",
                                   os.path.join(mountpoint, "nonce")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.kill)
        self.assertEqual(holder.stdout.readline().strip(), "held")
        asleep = self.everything_of(mountpoint)
        self.addCleanup(send, asleep, signal.SIGCONT)
        send(asleep, signal.SIGSTOP)
        during()
        send(asleep, signal.SIGCONT)
        self.assert_reads_nonce(mountpoint)
        self.assertEqual(holder.communicate("go\n", timeout=60)[0].strip(), self.nonce)
        self.wait_for(lambda: self.state_of(mountpoint)["state"] == "healthy", "the mount's health")
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()

    def test_asleep_for_longer_than_the_agent_lives(self):
        self.check_sleep("job", "--agent-ttl", "5s", during=self.wait_no_agents)

    def test_asleep_for_a_while(self):
        self.check_sleep("job", during=lambda: time.sleep(8))

    def test_asleep_with_an_agent_in_the_container(self):
        # Its stdin does not end: it gives up by itself.
        self.check_sleep("exec", "--agent-ttl", "5s", during=self.wait_no_agent_in_container)

    def wait_no_agent_in_container(self):
        begun = time.monotonic()
        self.wait_for(self.no_agent_in_container, "the agent's end")
        self.assertLess(time.monotonic() - begun, 15)

    def no_agent_in_container(self):
        return "mirrorfs-agent" not in self.kubectl("exec", "web", "--", "ps")


class CutCase(LifecycleCase):
    def check_reading(self, mode):
        self.target()
        expected = self.big_file()
        _, mountpoint = self.mount_pod("--agent", mode)
        at, cuts = self.cutting(mountpoint, [SIZE // 3, SIZE * 2 // 3])
        digest, done = hashlib.sha256(), 0
        with open(os.path.join(mountpoint, "big"), "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                done += len(block)
                at(done)
        self.assertEqual((digest.hexdigest(), done), (expected, SIZE))
        self.assertTrue(cuts and all(cuts), cuts)

    def check_writing(self, mode):
        self.target()
        _, mountpoint = self.mount_pod("--agent", mode, "--rw")
        at, cuts = self.cutting(mountpoint, [SIZE // 3, SIZE * 2 // 3])
        block, digest, done = secrets.token_bytes(1 << 20), hashlib.sha256(), 0
        with open(os.path.join(mountpoint, "written"), "wb") as file:
            while done < SIZE:
                part = done.to_bytes(8, "big") + block[8:]
                file.write(part)
                digest.update(part)
                done += len(part)
                at(done)
            os.fsync(file.fileno())
        self.assertEqual(self.kubectl("exec", "web", "--", "sha256sum", "/written").split()[0], digest.hexdigest())
        self.assertTrue(cuts and all(cuts), cuts)


class CutTest(CutCase):
    def test_reading_200_megabytes_by_a_job(self):
        self.check_reading("job")

    def test_reading_200_megabytes_by_an_ephemeral_container(self):
        self.check_reading("ephemeral")

    def test_reading_200_megabytes_by_exec(self):
        self.check_reading("exec")

    def test_writing_200_megabytes_by_a_job(self):
        self.check_writing("job")

    def test_writing_200_megabytes_by_an_ephemeral_container(self):
        self.check_writing("ephemeral")

    def test_writing_200_megabytes_by_exec(self):
        self.check_writing("exec")


class ApiServerTest(LifecycleCase):
    def check_absence(self, seconds):
        self.target()
        self.kubectl("exec", "web", "--", "sh", "-c", f"echo {self.nonce} > /later")
        _, mountpoint = self.mount_pod("--agent", "job", "--rw", "--deadline", "90s", "--agent-ttl", "120s")
        self.assert_reads_nonce(mountpoint)
        file = open(os.path.join(mountpoint, "nonce"), encoding="utf-8")
        self.addCleanup(file.close)
        self.cluster.stop("control.kube-apiserver")
        self.addCleanup(self.cluster.resume)
        back = threading.Timer(seconds, self.cluster.resume)
        back.start()
        self.addCleanup(back.join)
        self.assertEqual(self.read(mountpoint, "later"), self.nonce)
        self.assertEqual(file.read().strip(), self.nonce)
        file.close()
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        back.join()
        # Kubelets that could not reach it for a while are thought to be gone until they have.
        self.wait_for(lambda: self.cluster.run("wait", "node", "--all", "--for=condition=Ready", "--timeout=5s").returncode == 0,
                      "both nodes' readiness")
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)
        self.wait_for(lambda: self.state_of(mountpoint)["state"] == "healthy", "the mount's health")
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()

    def test_away_for_5_seconds(self):
        self.check_absence(5)

    def test_away_for_30_seconds(self):
        self.check_absence(30)


class ManyTest(LifecycleCase):
    COUNT = 20

    def mount_one(self, name, mode):
        mountpoint = os.path.join(self.scratch, name)
        os.mkdir(mountpoint)
        self.addCleanup(self.mirrorfs, "umount", "--lazy", mountpoint, check=False)
        self.mirrorfs("mount", "-n", self.namespace, "--agent", mode, "--agent-start-limit", "110s", f"pod/{name}",
                      mountpoint, environment=self.as_user())
        return mountpoint

    def test_20_pods_at_once(self):
        names = [f"web-{number}" for number in range(self.COUNT)]
        self.cluster.apply(*[pod(name) for name in names], namespace=self.namespace)
        self.cluster.wait_running(*names, namespace=self.namespace)
        nonces = {name: secrets.token_hex(16) for name in names}
        for name, nonce in nonces.items():
            self.kubectl("exec", name, "--", "sh", "-c", f"echo {nonce} > /nonce")
        # All are there at once; they come five at a time, as each has programs of its own to start.
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            modes = ["job" if number % 4 == 0 else "exec" for number in range(self.COUNT)]
            mountpoints = dict(zip(names, pool.map(self.mount_one, names, modes)))
        for name, mountpoint in mountpoints.items():
            self.assertEqual(self.read(mountpoint, "nonce"), nonces[name])
        for mountpoint in mountpoints.values():
            self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()


class EveryCommandCase(LifecycleCase):
    def check(self, mode):
        self.target()
        self.run_pod("other")
        other = secrets.token_hex(16)
        self.kubectl("exec", "other", "--", "sh", "-c", f"mkdir /srv/d; echo {other} > /srv/d/nonce")
        self.kubectl("exec", "web", "--", "sh", "-c", f"mkdir /srv/d; echo {self.nonce} > /srv/d/nonce")
        here = os.path.join(self.scratch, "copied")
        words = ("--agent", mode, "-n", self.namespace)
        self.mirrorfs("cp", *words, "pod/web:/srv/d/.", here, environment=self.as_user())
        self.assertEqual(self.read(here, "nonce"), self.nonce)
        self.mirrorfs("cp", *words, os.path.join(here, "nonce"), "pod/other:/srv/brought", environment=self.as_user())
        self.assertEqual(self.kubectl("exec", "other", "--", "cat", "/srv/brought"), self.nonce)
        differ = self.mirrorfs("diff", *words, "pod/web", "pod/other", "/srv/d", check=False, environment=self.as_user())
        self.assertIn("nonce", differ.stdout, differ.stderr)
        self.wait_no_agents()


class EveryCommandTest(EveryCommandCase):
    def test_copy_and_compare_by_a_job(self):
        self.check("job")

    def test_copy_and_compare_by_an_ephemeral_container(self):
        self.check("ephemeral")

    def test_copy_and_compare_by_exec(self):
        self.check("exec")


if __name__ == "__main__":
    agent_modes.run_tests()
