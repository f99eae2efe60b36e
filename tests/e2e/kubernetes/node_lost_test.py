#!/usr/bin/python3 -B
"""A node that is lost with all that runs on it: calls fail in time, and with --follow mounts go on on another node."""

import contextlib
import os
import secrets
import time

import agent_modes
import snapshot
from following_test import STALE, FollowCase

GONE_SOON = [{"key": f"node.kubernetes.io/{why}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}
             for why in ("unreachable", "not-ready")]
RATHER_NODE_2 = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
    {"weight": 100, "preference": {"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-2"]}]}}]}}
NODE_LIMIT = 240  # seconds until the cluster has given a node up (50 s by default) and another one has the pod


class NodeLostTest(FollowCase):
    def start(self):
        first = self.run_workload(placement={"tolerations": GONE_SOON, "affinity": RATHER_NODE_2})
        self.assertEqual(self.kubectl("get", "pod", first, "-o=jsonpath={.spec.nodeName}"), "node-2")
        self.write_in(first, self.nonce)
        return first

    def mounts(self, *words):
        found = {}
        for mode in ("job", "ephemeral", "exec"):
            self.mode = mode
            _, found[mode] = self.mount_target("deployment/web", *words)
            self.assert_reads_nonce(found[mode])
        return found

    def lose_node(self):
        self.cluster.stop("node-2")
        self.addCleanup(self.bring_back)

    def bring_back(self):
        self.cluster.resume()
        self.wait_for(lambda: self.cluster.run("wait", "node", "--all", "--for=condition=Ready", "--timeout=5s").returncode == 0,
                      "the node's return")

    def wait_long(self, condition, what):
        end = time.monotonic() + NODE_LIMIT
        while not condition():
            self.assertLess(time.monotonic(), end, f"did not come about: {what}")
            time.sleep(0.5)

    def test_calls_fail_in_time_and_with_follow_they_go_on_elsewhere(self):
        first = self.start()
        stay, follow = self.mounts(), self.mounts("--follow")
        held = {mode: os.open(os.path.join(mountpoint, "nonce"), os.O_RDONLY) for mode, mountpoint in follow.items()}
        for file in held.values():
            self.addCleanup(os.close, file)
        self.lose_node()
        for mode, mountpoint in stay.items():
            with self.subTest(f"{mode}: in time"):
                begun = time.monotonic()
                with self.assertRaises(OSError):
                    self.read(mountpoint, "etc/passwd")
                self.assertLess(time.monotonic() - begun, 30)  # the deadline is 10 s
        self.wait_long(lambda: self.pods() and first not in self.pods(), "a pod on the other node")
        following = self.pods()[0]
        other = secrets.token_hex(16)
        self.write_in(following, other)
        for mode, mountpoint in follow.items():
            with self.subTest(f"{mode}: goes on"):
                self.wait_moved(mountpoint, f"pod/{following}, container app")
                self.wait_reads(os.path.join(mountpoint, "nonce"), other)
                self.assert_stale(os.pread, held[mode], 100, 0)
        for mode, mountpoint in stay.items():
            with self.subTest(f"{mode}: stays"):
                self.wait_for(lambda mountpoint=mountpoint: self.fails_as_stale(mountpoint), "the target's end to be known")
                self.wait_for(lambda mountpoint=mountpoint: self.state_of(mountpoint)["state"] == "target gone", "the state")

    def fails_as_stale(self, mountpoint):
        with contextlib.suppress(OSError):
            os.listdir(mountpoint)
            return False
        try:
            os.listdir(mountpoint)
        except OSError as error:
            return error.errno in STALE
        return False


if __name__ == "__main__":
    # A node that has started anew has other processes: what the API tells is compared.
    agent_modes.run_tests(look=snapshot.api_objects)
