#!/usr/bin/python3 -B
"""What a pod has beside its image's files, seen through a mount; and pods of several containers."""

import os
import secrets

import agent_modes
from agent_modes import AgentCase
from cluster import BUSYBOX, pod


class VolumesTest(AgentCase):
    def start(self, *objects, **spec):
        self.cluster.apply(*objects, pod("web", node="node-1", **spec), namespace=self.namespace)
        self.cluster.wait_running("web", namespace=self.namespace)

    def config_map(self, text):
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"word": text, "sub": text}}

    def place_on_node(self):
        """A directory of node-1, with a file in it, which goes with the test."""
        place = f"/run/mirrorfs-e2e-{secrets.token_hex(4)}"
        self.cluster.node_exec("node-1", "sh", "-c", f"mkdir {place}; echo {self.nonce} > {place}/nonce")
        self.addCleanup(self.cluster.node_exec, "node-1", "rm", "-r", place)
        return place

    def test_a_config_map_that_changes_is_seen(self):
        self.start(self.config_map(self.nonce), volumes=[{"name": "s", "configMap": {"name": "settings"}}],
                   container={"volumeMounts": [{"name": "s", "mountPath": "/settings"}]})
        _, mountpoint = self.mount_pod("--agent", "job")
        word = os.path.join(mountpoint, "settings/word")
        self.assertEqual(self.read(word), self.nonce)
        before = os.readlink(os.path.join(mountpoint, "settings/..data"))
        other = secrets.token_hex(16)
        self.cluster.apply(self.config_map(other), namespace=self.namespace)
        self.kubectl("annotate", "pod", "web", "look=now")
        self.wait_for(lambda: self.read(word) == other, "the new word")
        self.assertNotEqual(os.readlink(os.path.join(mountpoint, "settings/..data")), before)

    def test_volumes_of_every_kind(self):
        place = self.place_on_node()
        claim = f"mirrorfs-e2e-{secrets.token_hex(4)}"
        storage = {"accessModes": ["ReadWriteOnce"], "storageClassName": claim}
        volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": claim},
                  "spec": {**storage, "capacity": {"storage": "1Mi"}, "local": {"path": place},
                           "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                               {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-1"]}]}]}}}}
        self.addCleanup(self.remove, "persistentvolume", claim)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"key": self.nonce}}
        volumes = {
            "empty": {"emptyDir": {}}, "memory": {"emptyDir": {"medium": "Memory"}},
            "projected": {"projected": {"sources": [{"configMap": {"name": "settings"}}, {"secret": {"name": "key"}},
                                                    {"downwardAPI": {"items": [{"path": "name", "fieldRef": {
                                                        "fieldPath": "metadata.name"}}]}}]}},
            "host": {"hostPath": {"path": place, "type": "Directory"}}, "settings": {"configMap": {"name": "settings"}},
            "claim": {"persistentVolumeClaim": {"claimName": "claim"}}}
        mounts = [{"name": name, "mountPath": "/" + name} for name in volumes]
        mounts.append({"name": "settings", "mountPath": "/etc/one-file", "subPath": "sub"})
        self.start(self.config_map(self.nonce), secret, volume,
                   {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "claim"},
                    "spec": {**storage, "volumeName": claim, "resources": {"requests": {"storage": "1Mi"}}}},
                   volumes=[{"name": name, **what} for name, what in volumes.items()], container={"volumeMounts": mounts})
        self.kubectl("exec", "web", "--", "sh", "-c", f"echo {self.nonce} > /empty/nonce; echo {self.nonce} > /memory/nonce")
        _, mountpoint = self.mount_pod("--agent", "job", "--rw")
        for path in ("empty/nonce", "memory/nonce", "projected/word", "projected/key", "host/nonce", "settings/word",
                     "claim/nonce", "etc/one-file"):
            with self.subTest(path):
                self.assertEqual(self.read(mountpoint, path), self.nonce)
        self.assertEqual(self.read(mountpoint, "projected/name"), "web")
        for name in ("empty", "memory", "claim"):
            with self.subTest(f"written to {name}"):
                with open(os.path.join(mountpoint, name, "made"), "w", encoding="utf-8") as file:
                    file.write(self.nonce)
                self.assertEqual(self.kubectl("exec", "web", "--", "cat", f"/{name}/made"), self.nonce)
        self.assertEqual(self.cluster.node_exec("node-1", "cat", f"{place}/made"), self.nonce)
        with self.assertRaises(OSError):
            open(os.path.join(mountpoint, "settings/made"), "w", encoding="utf-8").close()


class ContainersTest(AgentCase):
    def containers(self, **spec):
        each = [{"name": name, "image": BUSYBOX} for name in ("app", "beside", "third")]
        self.cluster.apply(pod("web", node="node-2", containers=each, **spec), namespace=self.namespace)
        self.cluster.wait_running("web", namespace=self.namespace)
        nonces = {one["name"]: secrets.token_hex(16) for one in each}
        for name, nonce in nonces.items():
            self.kubectl("exec", "web", "-c", name, "--", "sh", "-c", f"echo {nonce} > /nonce")
        return nonces

    def check_each(self, nonces, mode):
        for name, nonce in nonces.items():
            with self.subTest(f"{name} by {mode}"):
                _, mountpoint = self.mount_pod("--agent", mode, "-c", name)
                self.assertEqual(self.read(mountpoint, "nonce"), nonce)
                self.mirrorfs("umount", mountpoint)

    def test_several_containers(self):
        nonces = self.containers()
        for mode in ("job", "exec"):
            self.check_each(nonces, mode)

    def test_containers_that_share_their_processes(self):
        self.check_each(self.containers(shareProcessNamespace=True), "job")

    def test_a_pod_with_the_processes_of_its_node(self):
        nonces = self.containers(hostPID=True)
        self.check_each(nonces, "job")
        self.check_each({"app": nonces["app"]}, "exec")

    def test_a_sidecar_that_goes_on_while_the_container_is_started_anew(self):
        """The mount of one is not disturbed by the other."""
        sidecar = {"name": "beside", "image": BUSYBOX, "restartPolicy": "Always"}
        self.cluster.apply(pod("web", node="node-1", initContainers=[sidecar],
                               container={"command": ["sh", "-c", "while [ ! -e /end ]; do sleep 0.1; done"]}),
                           namespace=self.namespace)
        self.cluster.wait_running("web", namespace=self.namespace)
        self.kubectl("exec", "web", "-c", "beside", "--", "sh", "-c", f"echo {self.nonce} > /nonce")
        _, mountpoint = self.mount_pod("--agent", "job", "-c", "beside")
        self.assert_reads_nonce(mountpoint)
        self.kubectl("exec", "web", "-c", "app", "--", "touch", "/end")
        self.wait_for(lambda: any(one["restartCount"] for one in self.cluster.get("pod", "web", "-n", self.namespace)
                                  ["status"]["containerStatuses"] if one["name"] == "app"), "the restart")
        self.assert_reads_nonce(mountpoint)
        self.assertEqual(self.state_of(mountpoint)["state"], "healthy")


if __name__ == "__main__":
    agent_modes.run_tests()
