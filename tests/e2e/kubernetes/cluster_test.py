#!/usr/bin/python3 -B
"""The cluster itself: what the tests of the command take for granted. cluster_test.py [AGENT_IMAGE [unittest's ...]]"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import urllib.request

import access
import cluster as clusters
import snapshot
import suite
from cluster import BUSYBOX, DISTROLESS, PYTHON, ClusterCase, pod

AGENT_IMAGE = ""
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


class ServerCase(ClusterCase):
    def wait_served(self, client, address, content):
        """Until a pod gets the content from a server, which may have to start first."""
        fetch = ["exec", "-n", self.namespace, client, "--", "wget", "-qO-", address]
        self.wait_for(lambda: self.cluster.run(*fetch).stdout.strip() == content, f"{content} from {address}")


class Nodes(ServerCase):
    def test_both_are_ready_and_run_pods_that_reach_each_other(self):
        self.assertGreaterEqual(len(self.cluster.nodes()), 2)
        first, second = self.cluster.nodes()[:2]
        server = {"command": ["python3", "-m", "http.server", "8000"]}
        for name, node in (("one", first), ("two", second)):
            self.run_pod(name, PYTHON, node=node, container=server)
        placed = {item["metadata"]["name"]: item for item in self.cluster.get("pods", "-n", self.namespace)["items"]}
        self.assertEqual([placed[name]["spec"]["nodeName"] for name in ("one", "two")], [first, second])
        for name, other in (("one", "two"), ("two", "one")):
            address = placed[other]["status"]["podIP"]
            self.wait_served(name, f"http://{address}:8000/etc/hostname", other)

    def test_each_has_its_own_processes(self):
        for node in ("node-1", "node-2"):
            self.run_pod(node, node=node)
            processes = self.cluster.node_exec(node, "ps", "-e", "-o", "args=")
            self.assertEqual(processes.count("/keep-running"), 1, processes)
            self.assertEqual(self.cluster.node_exec(node, "hostname").strip(), node)


class Pods(ServerCase):
    def test_exec_has_stdin_and_exit_codes(self):
        self.run_pod("app")
        self.assertEqual(self.kubectl("exec", "-i", "app", "--", "tr", "a-z", "A-Z", input="nonce\n"), "NONCE")
        result = self.cluster.run("exec", "-n", self.namespace, "app", "--", "sh", "-c", "exit 7")
        self.assertEqual(result.returncode, 7, result.stderr)

    def test_a_port_is_forwarded(self):
        self.run_pod("web", container={"command": ["sh", "-c", "mkdir /w && hostname > /w/x && httpd -f -p 80 -h /w"]})
        self.wait_served("web", "http://127.0.0.1/x", "web")
        with self.forwarded("web", 80) as port:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/x", timeout=clusters.LIMIT) as page:
                self.assertEqual(page.read(), b"web\n")

    @contextlib.contextmanager
    def forwarded(self, name, port):
        command = self.cluster.command("port-forward", "-n", self.namespace, f"pod/{name}", f":{port}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.cluster.environment()) as child:
            try:
                yield int(re.match(r"Forwarding from 127\.0\.0\.1:(\d+)", child.stdout.readline())[1])
            finally:
                child.kill()

    def test_an_ephemeral_container_sees_its_target(self):
        self.run_pod("app", DISTROLESS)
        self.kubectl("debug", "app", f"--image={BUSYBOX}", "--target=app", "--container=debugger", "--", "sleep", "600")
        running = "-o=jsonpath={.status.ephemeralContainerStatuses[0].state.running}"
        self.wait_for(lambda: self.kubectl("get", "pod", "app", running), "the ephemeral container")
        self.assertEqual(self.kubectl("exec", "app", "-c", "debugger", "--", "cat", "/proc/1/cmdline"), "/app\0")

    def test_a_distroless_image_has_no_shell(self):
        self.run_pod("app", DISTROLESS)
        result = self.cluster.run("exec", "-n", self.namespace, "app", "--", "sh", "-c", "true")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn('"sh"', result.stderr)

    def test_a_changed_config_map_is_swapped_in(self):
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"key": "first"}}
        self.cluster.apply(config, namespace=self.namespace)
        self.run_pod("app", volumes=[{"name": "v", "configMap": {"name": "settings"}}],
                     container={"volumeMounts": [{"name": "v", "mountPath": "/settings"}]})
        target = self.kubectl("exec", "app", "--", "readlink", "/settings/..data")
        self.assertEqual(self.kubectl("exec", "app", "--", "cat", "/settings/key"), "first")
        config["data"]["key"] = "second"
        self.cluster.apply(config, namespace=self.namespace)
        self.wait_for(lambda: self.kubectl("exec", "app", "--", "cat", "/settings/key") == "second", "the new content")
        self.assertNotEqual(self.kubectl("exec", "app", "--", "readlink", "/settings/..data"), target)

    def test_the_agents_image_is_named_by_its_digest(self):
        if not AGENT_IMAGE:
            self.skipTest("no image of the agent was given")
        names = {self.cluster.load_image(node, AGENT_IMAGE) for node in self.cluster.nodes()}
        self.assertEqual(len(names), 1, names)
        name = names.pop()
        self.assertRegex(name, r"^docker\.io/library/mirrorfs-agent@sha256:[0-9a-f]{64}$")
        for node in self.cluster.nodes():
            self.cluster.apply(pod(node, name, node=node, container={"args": ["--version"], "imagePullPolicy": "Never"},
                                   restartPolicy="Never"), namespace=self.namespace)
            self.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{node}", "--timeout=100s")
            self.assertIn("mirrorfs-agent", self.kubectl("logs", node))


class Rights(ClusterCase):
    def setUp(self):
        super().setUp()
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)

    def check_denied_outside_of_the_role(self, kubeconfig):
        def run(*words):
            return self.cluster.run(*words, kubeconfig=kubeconfig)

        self.run_pod("app")
        self.assertEqual(run("get", "pods", "-o", "name").stdout, "pod/app\n")
        for words in (["exec", "app", "--", "true"], ["delete", "pod", "app"], ["get", "pods", "-n", "kube-system"],
                      ["get", "secrets"]):
            result = run(*words)
            self.assertEqual(result.returncode, 1, words)
            self.assertIn("forbidden", result.stderr.lower(), words)

    def test_a_service_account_has_its_role_and_nothing_else(self):
        self.check_denied_outside_of_the_role(access.service_account_kubeconfig(
            self.cluster, self.namespace, "reader", [access.rule("get list", "pods")], self.place.name))

    def test_a_user_with_a_certificate_has_his_role_and_nothing_else(self):
        self.check_denied_outside_of_the_role(access.user_kubeconfig(
            self.cluster, self.namespace, "alice", [access.rule("get list", "pods")], self.place.name))

    def test_nobody_is_let_in_without_credentials(self):
        path = access.write(self.cluster, self.namespace, "nobody", {}, self.place.name)
        result = self.cluster.run("get", "pods", kubeconfig=path, input="")
        self.assertNotEqual(result.returncode, 0)

    def test_a_restricted_namespace_refuses_what_is_not(self):
        namespace = self.make_namespace(**RESTRICTED)
        with self.assertRaisesRegex(AssertionError, "violates PodSecurity"):
            self.cluster.apply(pod("root"), namespace=namespace)
        modest = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
                  "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
        self.cluster.apply(pod("modest", container={"securityContext": modest}), namespace=namespace)
        self.cluster.wait_running("modest", namespace=namespace)


class Snapshots(ClusterCase):
    def test_each_kind_of_leftover_is_found(self):
        start = snapshot.settled(self.cluster)
        self.cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray"}},
                           namespace=self.namespace)
        self.cluster.node_exec("node-2", "mkdir", "/run/stray")
        self.cluster.node_exec("node-2", "mount", "-t", "tmpfs", "stray", "/run/stray")
        self.cluster.node_exec("node-1", "sh", "-c", "sleep 1234 > /dev/null 2>&1 &")
        found = snapshot.differences(start, snapshot.take(self.cluster))
        self.cluster.node_exec("node-1", "pkill", "-f", "^sleep 1234$")
        self.cluster.node_exec("node-2", "umount", "/run/stray")
        self.cluster.node_exec("node-2", "rmdir", "/run/stray")
        self.kubectl("delete", "configmap", "stray")
        self.assertEqual(len(found), 3, found)
        self.assertIn(f"left: object core ConfigMap {self.namespace}/stray", found)
        self.assertIn("left: mount on node-2: /run/stray (tmpfs)", found)
        self.assertRegex("\n".join(found), r"left: process on node-1: \d+ sleep 1234")
        snapshot.assert_same(self.cluster, start)


class Failures(ClusterCase):
    """Parts of the cluster that stop and come back, as later tests need them to."""

    def test_the_api_server_stops_and_returns(self):
        self.run_pod("app")
        self.cluster.stop("control.kube-apiserver")
        self.addCleanup(self.cluster.resume)
        self.assertNotEqual(self.cluster.run("get", "pods").returncode, 0)
        self.cluster.resume()
        self.assertEqual(self.kubectl("exec", "app", "--", "hostname"), "app")


if __name__ == "__main__":
    if len(sys.argv) > 1 and os.path.exists(sys.argv[1]):
        AGENT_IMAGE = os.path.abspath(sys.argv.pop(1))
    suite.run()
