#!/usr/bin/python3 -B
"""The files of a target, all of them and checksummed, are after a mount what they were before: one that reads everything,
and one whose writes go to a private layer. In every mode."""

import json
import os
import secrets
import subprocess
import time

import agent_modes
from agent_modes import LIMIT, AgentCase
from cluster import HERE
from shared_agents import SharedCase

# What the container has made since it was started: its upper layer, and a volume.
PREPARE = """
echo {nonce} > /nonce; mkdir -p /made/deep/er; echo one > /made/one; ln /made/one /made/two; ln -s one /made/link
mkfifo /made/fifo; echo private > /made/private; chmod 600 /made/private; chown 1000:1000 /made/private
touch -d '2001-02-03 04:05:06' /made/old; head -c 3000000 /dev/urandom > /made/deep/er/big; chmod 2775 /made/deep
echo changed >> /lower/regular.txt; rm /lower/empty; echo {nonce} > /volume/nonce; mkdir /volume/sub
"""


class UntouchedCase(AgentCase):
    mode = ""
    marked = {}  # what the mode cannot do without, and just that: {path: what differs}
    person = None  # kubeconfig of the user

    def start(self):
        settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"word": self.nonce}}
        self.cluster.apply(settings, namespace=self.namespace)
        mounts = [{"name": "volume", "mountPath": "/volume"}, {"name": "settings", "mountPath": "/settings"}]
        self.run_pod("web", node="node-2", container={"volumeMounts": mounts},
                     volumes=[{"name": "volume", "emptyDir": {}}, {"name": "settings", "configMap": {"name": "settings"}}])
        self.kubectl("exec", "web", "--", "sh", "-c", PREPARE.format(nonce=self.nonce))
        container = self.cluster.get("pod", "web", "-n", self.namespace)["status"]["containerStatuses"][0]["containerID"]
        tasks = self.cluster.node_exec("node-2", "ctr", "-n", "k8s.io", "task", "list").splitlines()
        self.root, = (f"/proc/{line.split()[1]}/root" for line in tasks if line.startswith(container.split("//")[1]))

    def files(self):
        """All files of the target, seen from its node."""
        text = self.cluster.node_exec("node-2", "/usr/bin/python3", "-B", os.path.join(HERE, "tree_digest.py"), self.root)
        found = json.loads(text)
        for path in ("/nonce", "/made/deep/er/big", "/lower/regular.txt", "/volume/nonce", "/settings/..data"):
            self.assertIn(path, found)
        return found

    def differences(self, before):
        """{path: what of it differs}."""
        after = self.files()
        return {path: sorted(key for key in {**before.get(path, {}), **after.get(path, {})}
                             if before.get(path, {}).get(key) != after.get(path, {}).get(key))
                for path in before.keys() | after.keys() if before.get(path) != after.get(path)}

    def assert_untouched(self, before):
        self.wait_no_agents()
        end = time.monotonic() + LIMIT
        while (found := self.differences(before)).keys() - self.marked.keys() and time.monotonic() < end:
            time.sleep(0.2)  # an agent in the container may still be on its way out
        self.assertEqual({**self.marked, **found}, self.marked)

    def read_everything(self, mountpoint):
        """Each name, attribute and byte; what tar has packed is there as proof."""
        excluded = [f"--exclude=./{name}" for name in ("proc", "sys", "dev")]
        packed = os.path.join(self.scratch, "packed.tar")
        result = subprocess.run(["tar", "-C", mountpoint, "--xattrs", *excluded, "-cf", packed, "."], check=False, timeout=LIMIT,
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        self.assertEqual(result.returncode, 0, result.stderr)
        listed = subprocess.run(["find", mountpoint, "-ls"], check=False, timeout=LIMIT, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, errors="replace").stdout
        self.assertTrue("/lower/many/file0999" in listed and "/volume/nonce" in listed, listed[-2000:])
        for path in ("./nonce", "./volume/nonce"):
            content = subprocess.run(["tar", "-xOf", packed, path], check=True, capture_output=True, text=True).stdout
            self.assertTrue(content.startswith(self.nonce), content)
        os.remove(packed)

    def write_everywhere(self, mountpoint):
        def at(path):
            return os.path.join(mountpoint, path)
        for path in ("new", "made/one", "lower/regular.txt", "lower/many/file0001", "volume/nonce", "volume/sub/new"):
            with open(at(path), "a", encoding="utf-8") as file:
                file.write("written")
        os.truncate(at("made/deep/er/big"), 5)
        os.unlink(at("made/two"))
        os.unlink(at("lower/binary"))
        os.rename(at("made/private"), at("made/renamed"))
        os.rename(at("made/deep"), at("made/moved"))
        os.chmod(at("nonce"), 0o640)
        os.utime(at("lower/old"), (1, 1))
        os.mkdir(at("made/directory"))
        os.symlink("x", at("made/symlink"))
        os.link(at("nonce"), at("nonce-again"))
        self.assertEqual(self.read(mountpoint, "volume/nonce"), f"{self.nonce}\nwritten")
        self.assertEqual(self.read(mountpoint, "nonce-again"), self.nonce)
        self.assertEqual(os.listdir(at("made/moved/er")), ["big"])

    def check(self):
        self.start()
        before = self.files()
        with self.subTest("read"):
            _, mountpoint = self.mount_pod("--agent", self.mode, kubeconfig=self.person)
            self.read_everything(mountpoint)
            self.mirrorfs("umount", mountpoint)
            self.assert_untouched(before)
        before = self.files()
        with self.subTest("--cow"):
            layer = "untouched-" + secrets.token_hex(4)
            state = {"XDG_STATE_HOME": os.path.join(self.scratch, "state")}
            _, mountpoint = self.mount_pod("--agent", self.mode, "--cow", "--layer", layer, kubeconfig=self.person, **state)
            self.write_everywhere(mountpoint)
            self.read_everything(mountpoint)
            self.mirrorfs("umount", mountpoint)
            self.mirrorfs("discard", layer, environment=state)
            self.assert_untouched(before)


class JobTest(UntouchedCase):
    mode = "job"

    def test_nothing_is_touched(self):
        self.check()

    def test_what_is_touched_would_be_noticed(self):
        """The comparison itself."""
        self.start()
        before = self.files()
        _, mountpoint = self.mount_pod("--agent", self.mode, "--rw")
        os.chmod(os.path.join(mountpoint, "made/one"), 0o644)  # as it was
        with open(os.path.join(mountpoint, "lower/changed.txt"), "r+", encoding="utf-8"):
            pass  # nothing is written
        os.mkdir(os.path.join(mountpoint, "volume/another"))
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()
        found = self.differences(before)
        self.assertEqual(found.pop("/volume"), ["changed", "modified"])
        self.assertIn("content", found.pop("/volume/another"))
        self.assertEqual(found.pop("/made/one"), ["changed"])
        self.assertEqual(found.pop("/made/two"), ["changed"])  # is the same
        for path in ("/lower/changed.txt", "/lower"):  # which are now in the upper layer
            self.assertEqual(found.pop(path), ["changed"])
        self.assertEqual(found, {})


class EphemeralTest(UntouchedCase):
    mode = "ephemeral"
    # The kubelet writes it anew, with the same content, whenever a container of the pod is started.
    marked = {"/etc/hosts": ["changed", "modified"]}

    def test_nothing_is_touched(self):
        self.check()


class ExecTest(UntouchedCase):
    mode = "exec"
    # The agent was put there, and is gone; / has got an upper /tmp by that.
    marked = {"/tmp": ["changed", "modified"], "/": ["changed"]}

    def test_nothing_is_touched(self):
        self.check()


class SharedTest(SharedCase, UntouchedCase):
    mode = "shared"

    def test_nothing_is_touched(self):
        self.person = self.user()
        self.check()


if __name__ == "__main__":
    agent_modes.run_tests()
