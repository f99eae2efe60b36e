#!/usr/bin/python3 -B
"""The container ends under a mount or a program: with --follow they go on in what takes its place, without they stop."""

import contextlib
import errno
import os
import secrets
import signal
import subprocess
import threading
import time

import agent_modes
from agent_modes import BIN, AgentCase
from cluster import pod
from shared_agents import SharedCase

STALE = (errno.ESTALE, errno.EHOSTDOWN)


def workload(kind, name, placement=None, **spec):
    """`placement`: more of the pods' specification."""
    labels = {"app": name}
    template = pod(name, **(placement or {}))
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": labels}, **spec,
                     "template": {"metadata": {"labels": labels}, "spec": template["spec"]}}}


class FollowCase(AgentCase):
    mode = "job"

    def run_workload(self, kind="Deployment", **spec):
        self.cluster.apply(workload(kind, "web", replicas=1, **spec), namespace=self.namespace)
        self.kubectl("rollout", "status", f"{kind.lower()}/web", "--timeout=100s")
        return self.one_pod()

    def pods(self):
        items = self.cluster.get("pods", "-n", self.namespace, "-l", "app=web")["items"]
        return [item["metadata"]["name"] for item in items if "deletionTimestamp" not in item["metadata"]
                and any(each.get("ready") for each in item["status"].get("containerStatuses", []))]

    def one_pod(self):
        self.wait_for(lambda: len(self.pods()) == 1, "a pod")
        return self.pods()[0]

    def write_in(self, name, text, path="/nonce"):
        self.kubectl("exec", name, "--", "sh", "-c", f"echo {text} > {path}")

    def mount_target(self, target, *words, check=True):
        mountpoint = os.path.join(self.scratch, "mnt-" + secrets.token_hex(4))
        os.mkdir(mountpoint)
        result = self.mirrorfs("mount", "--agent", self.mode, "-n", self.namespace, *words, target, mountpoint, check=check,
                               environment=self.as_user())
        if result.returncode == 0:
            self.addCleanup(self.mirrorfs, "umount", "--lazy", mountpoint, check=False)
        return result, mountpoint

    def wait_moved(self, mountpoint, place):
        self.wait_for(lambda: self.state_of(mountpoint)["container"].startswith(place) and
                      self.state_of(mountpoint)["state"] == "healthy", f"the mount's move to {place}")

    def wait_reads(self, path, text):
        def reads():
            try:
                return self.read(path) == text
            except OSError:
                return False
        self.wait_for(reads, f"{text} in {path}")

    def replace_under(self, mountpoint, name):
        """The pod that comes after the one of that name, and its nonce; the mount has gone on in it."""
        self.kubectl("delete", "pod", name)
        following = self.one_pod()
        nonce = secrets.token_hex(16)
        self.write_in(following, nonce)
        self.wait_moved(mountpoint, f"pod/{following}, container app")
        self.wait_reads(os.path.join(mountpoint, "nonce"), nonce)
        return following, nonce

    def log_of(self, mountpoint):
        return self.read(self.state_of(mountpoint)["log"])

    def assert_stale(self, call, *arguments):
        with self.assertRaises(OSError) as caught:
            call(*arguments)
        self.assertIn(caught.exception.errno, STALE)

    def crash(self, name):
        """Ends the container's first process from its node, as a crash would."""
        status = self.cluster.get("pod", name, "-n", self.namespace)
        container = status["status"]["containerStatuses"][0]["containerID"].split("//")[1]
        node = status["spec"]["nodeName"]
        task = self.cluster.node_exec(node, "ctr", "-n", "k8s.io", "task", "kill", "-s", "SIGKILL", container)
        self.wait_for(lambda: self.cluster.get("pod", name, "-n", self.namespace)["status"]["containerStatuses"][0]
                      ["restartCount"] > 0 and self.pods() == [name], f"the restart ({task})")


class FollowTest(FollowCase):
    def test_a_mount_goes_on_in_the_next_pod(self):
        first = self.run_workload()
        self.write_in(first, self.nonce)
        self.kubectl("exec", first, "--", "mkdir", "-p", "/work/deep")
        _, mountpoint = self.mount_target("deployment/web", "--follow", "--rw")
        self.assert_reads_nonce(mountpoint)
        opened = os.open(os.path.join(mountpoint, "nonce"), os.O_RDWR)
        inside = os.open(os.path.join(mountpoint, "work/deep"), os.O_PATH)
        second, other = self.replace_under(mountpoint, first)
        self.assert_stale(os.pread, opened, 100, 0)
        self.assert_stale(os.pwrite, opened, b"x", 0)
        self.assert_stale(os.fsync, opened)
        self.assert_stale(os.listdir, f"/proc/self/fd/{inside}")
        self.assertFalse(os.path.exists(os.path.join(mountpoint, "work/deep")))
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", second, "--", "cat", "/made"), self.nonce)
        self.assertEqual(self.kubectl("exec", second, "--", "cat", "/nonce"), other)
        self.assertEqual(self.log_of(mountpoint).count("goes on in pod/"), 1)
        self.mirrorfs("umount", "--lazy", mountpoint)
        os.close(opened)
        os.close(inside)
        self.wait_no_agents()

    def test_again_and_again(self):
        name = self.run_workload()
        _, mountpoint = self.mount_target("-lapp=web", "--follow")
        for _ in range(3):
            name, _ = self.replace_under(mountpoint, name)

    def test_a_container_that_is_started_anew_in_the_same_pod(self):
        name = self.run_workload()
        self.write_in(name, self.nonce)
        _, mountpoint = self.mount_target(f"pod/{name}", "--follow")
        self.assert_reads_nonce(mountpoint)
        self.crash(name)
        self.wait_reads(os.path.join(mountpoint, "etc/hostname"), name)
        self.wait_for(lambda: not os.path.exists(os.path.join(mountpoint, "nonce")), "the new container's root")
        self.assertEqual(self.pods(), [name])

    def test_the_pod_of_that_name_of_a_statefulset(self):
        self.run_workload("StatefulSet", serviceName="web")
        self.write_in("web-0", self.nonce)
        _, mountpoint = self.mount_target("pod/web-0", "--follow")
        self.assert_reads_nonce(mountpoint)
        self.kubectl("delete", "pod", "web-0")
        self.wait_for(lambda: self.pods() == ["web-0"], "the next web-0")
        other = secrets.token_hex(16)
        self.write_in("web-0", other)
        self.wait_reads(os.path.join(mountpoint, "nonce"), other)

    def test_an_agent_that_is_lost_is_no_reason_to_move(self):
        name = self.run_workload()
        self.write_in(name, self.nonce)
        _, mountpoint = self.mount_target("deployment/web", "--follow", "--deadline", "60s")
        with open(os.path.join(mountpoint, "nonce"), encoding="utf-8") as file:
            before = self.jobs()
            self.kubectl("scale", "deployment/web", "--replicas=2")
            self.wait_for(lambda: len(self.pods()) == 2, "a second pod")
            self.kubectl("delete", "job", *before)
            self.wait_for(lambda: self.jobs() and self.jobs() != before, "another agent")
            self.assertEqual(file.read().strip(), self.nonce)
        self.wait_moved(mountpoint, f"pod/{name},")

    def test_without_follow_it_stops_and_says_so(self):
        first = self.run_workload()
        _, mountpoint = self.mount_target("deployment/web")
        self.kubectl("delete", "pod", first)
        self.one_pod()
        self.wait_for(lambda: self.state_of(mountpoint)["state"] == "target gone", "the state")
        self.assert_stale(os.listdir, mountpoint)
        self.assertIn("--follow", self.log_of(mountpoint))


class FollowExecModeTest(FollowCase):
    """The same without an agent's pod."""
    mode = "exec"

    def test_a_mount_goes_on_in_the_next_pod(self):
        first = self.run_workload()
        self.write_in(first, self.nonce)
        _, mountpoint = self.mount_target("deployment/web", "--follow")
        opened = os.open(os.path.join(mountpoint, "nonce"), os.O_RDONLY)
        self.addCleanup(os.close, opened)
        self.replace_under(mountpoint, first)
        self.assert_stale(os.pread, opened, 100, 0)


class FollowSharedTest(SharedCase, FollowCase):
    """The same with the agents of the nodes, by somebody who has just the rights for that."""
    mode = "shared"

    def as_user(self, kubeconfig=None):
        return super().as_user(kubeconfig or self.person)

    def test_a_mount_goes_on_in_the_next_pod_and_stays_there(self):
        self.person = self.user()
        first = self.run_workload()
        self.write_in(first, self.nonce)
        _, mountpoint = self.mount_target("-lapp=web", "--follow", "--deadline", "60s")
        self.assert_reads_nonce(mountpoint)
        opened = os.open(os.path.join(mountpoint, "nonce"), os.O_RDONLY)
        self.addCleanup(os.close, opened)
        second, other = self.replace_under(mountpoint, first)
        self.assert_stale(os.pread, opened, 100, 0)
        self.assertEqual(self.log_of(mountpoint).count(f"goes on in pod/{second}, container app:"), 1)
        # There are others by now; a tunnel that is lost is no reason to take one of them.
        self.kubectl("scale", "deployment/web", "--replicas=3")
        self.wait_for(lambda: len(self.pods()) == 3, "more pods")
        tunnel = self.state_of(mountpoint)["agent_pid"]
        os.kill(tunnel, signal.SIGKILL)
        self.wait_for(lambda: self.state_of(mountpoint)["agent_pid"] not in (0, None, tunnel), "another tunnel")
        self.wait_moved(mountpoint, f"pod/{second}, container app")
        self.assertEqual(self.read(mountpoint, "nonce"), other)
        self.assertNotIn("has ended", self.log_of(mountpoint).split("goes on in pod/")[1])


class FollowRunTest(FollowCase):
    """A program of `mirrorfs exec`."""

    PROGRAM = """
cd /work; exec 3<nonce; read -r line <nonce; echo "first $line"
while read -r word; do
  case $word in
    path) read -r line 2>/dev/null </work/nonce && echo "path $line" || echo "path failed";;
    here) read -r line 2>/dev/null <nonce && echo "here $line" || echo "here failed";;
    held) read -r line 2>/dev/null <&3 && echo "held $line" || echo "held failed";;
  esac
done
"""

    def start(self, *words):
        command = [os.path.join(BIN, "mirrorfs"), "exec", "--agent", self.mode, "-n", self.namespace, "--target",
                   "deployment/web", *words, "--", "sh", "-c", self.PROGRAM]
        terminal, end = os.openpty()
        run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=end, text=True,
                               env={**os.environ, **self.as_user()}, start_new_session=True)
        os.close(end)
        self.addCleanup(self.end, run)
        said = []

        def listen():
            with contextlib.suppress(OSError), open(terminal, "rb", buffering=0) as stream:
                while block := stream.read(4096):
                    said.append(block.decode())
        threading.Thread(target=listen, daemon=True).start()
        return run, lambda: "".join(said)

    def end(self, run):
        run.stdin.close()
        try:
            run.wait(timeout=30)
        finally:
            run.kill()
            run.wait()
            run.stdout.close()

    def ask(self, run, word):
        run.stdin.write(word + "\n")
        run.stdin.flush()
        return run.stdout.readline().strip()

    def prepare(self):
        first = self.run_workload()
        self.kubectl("exec", first, "--", "sh", "-c", f"mkdir -p /work; echo {self.nonce} > /work/nonce")
        return first

    def replace(self, first):
        self.kubectl("delete", "pod", first)
        second = self.one_pod()
        other = secrets.token_hex(16)
        self.kubectl("exec", second, "--", "sh", "-c", f"mkdir -p /work; echo {other} > /work/nonce")
        return second, other

    def test_a_program_goes_on_in_the_next_pod(self):
        first = self.prepare()
        run, said = self.start("--follow")
        self.assertEqual(run.stdout.readline().strip(), f"first {self.nonce}")
        second, other = self.replace(first)
        self.wait_for(lambda: self.ask(run, "path") == f"path {other}", "the next pod's file")
        self.assertEqual(self.ask(run, "held"), "held failed")
        self.assertEqual(self.ask(run, "here"), f"here {other}")  # in a view a directory is a place
        lines = [line for line in said().splitlines() if f"pod/{second}" in line]
        self.assertEqual(len(lines), 1, said())
        self.assertIn("stale", lines[0])

    def test_without_follow_it_is_told_what_has_happened(self):
        first = self.prepare()
        run, said = self.start()
        self.assertEqual(run.stdout.readline().strip(), f"first {self.nonce}")
        self.replace(first)
        self.wait_for(lambda: "has ended" in said(), "the notice")
        self.assertIn("--follow", said())
        time.sleep(2)
        self.assertEqual(self.ask(run, "path"), "path failed")


if __name__ == "__main__":
    agent_modes.run_tests()
