#!/usr/bin/python3 -B
"""How users reach their clusters: kubectl of several versions, contexts, lists of kubeconfigs, proxies."""

import hashlib
import json
import os
import signal

import agent_modes
import cluster as clusters
from access import rule
from agent_modes import EPHEMERAL_RULES, EXEC_RULES, JOB_RULES, AgentCase
from lifecycle_test import LifecycleCase, send
from proxies import ConnectProxy, NoSpdy


class WaysCase(AgentCase):
    def view(self):
        return json.loads(self.cluster.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))

    def write(self, name, view):
        path = os.path.join(self.scratch, name)
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            json.dump(view, file)
        return path

    def check_mount(self, *words, kubeconfig=None, **variables):
        result, mountpoint = self.mount_pod("--rw", *words, kubeconfig=kubeconfig, **variables)
        self.assert_reads_nonce(mountpoint)
        block = os.urandom(3_000_000)
        with open(os.path.join(mountpoint, "made"), "wb") as file:
            file.write(block)
        self.kubectl("exec", "web", "--", "sh", "-c", "cp /made /copied")
        copied = os.path.join(mountpoint, "copied")
        self.wait_for(lambda: os.path.exists(copied), "the copy, which is seen within a second")
        with open(copied, "rb") as file:
            self.assertEqual(file.read(), block)
        self.mirrorfs("umount", mountpoint)
        self.wait_no_agents()
        return result


class VersionsTest(WaysCase):
    """The versions that users have; one that is not on the machine is skipped by its name."""

    def check(self, minor):
        program = clusters.kubectls(own=self.cluster.kubectl_program).get(minor)
        if not program:
            self.skipTest(f"kubectl {minor} is not on this machine")
        self.target()
        for mode in ("job", "ephemeral", "exec"):
            with self.subTest(mode):
                self.check_mount("--agent", mode, MIRRORFS_KUBECTL=program)
        environment = {**self.as_user(), "MIRRORFS_KUBECTL": program}
        listed = self.mirrorfs("ls", "pods", "-n", self.namespace, environment=environment).stdout
        self.assertRegex(listed, r"(?m)^pod +web +app")
        run = self.mirrorfs("exec", "--agent", "exec", "-n", self.namespace, "--target", "pod/web", "--", "cat", "/nonce",
                            environment=environment)
        self.assertEqual(run.stdout.strip(), self.nonce)

    def test_1_27(self):
        self.check("1.27")

    def test_1_30(self):
        self.check("1.30")

    def test_1_33(self):
        self.check("1.33")


class ContextsTest(WaysCase):
    def test_a_list_of_files_and_a_context_that_is_not_the_current_one(self):
        self.target()
        view = self.view()
        context = {"cluster": "theirs", "user": "me", "namespace": self.namespace}
        head = {"apiVersion": "v1", "kind": "Config"}
        self.write("clusters.conf", {**head, "clusters": [{"name": "theirs", "cluster": view["clusters"][0]["cluster"]}],
                                     "contexts": [{"name": "wanted", "context": context},
                                                  {"name": "other", "context": {"cluster": "none", "user": "none"}}],
                                     "current-context": "other"})
        self.write("users.conf", {**head, "users": [{"name": "me", "user": view["users"][0]["user"]}]})
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.scratch)  # names in the list are relative
        for mode in ("job", "exec"):
            with self.subTest(mode):
                mountpoint = os.path.join(self.scratch, "mnt-" + mode)
                os.mkdir(mountpoint)
                self.addCleanup(self.mirrorfs, "umount", "--lazy", mountpoint, check=False)
                self.mirrorfs("mount", "--agent", mode, "--context", "wanted", "pod/web", mountpoint,
                              environment=self.as_user("clusters.conf:users.conf"))
                self.assert_reads_nonce(mountpoint)
                self.mirrorfs("umount", mountpoint)


class ProxiesTest(WaysCase):
    BY_GET = rule("get", "pods/exec")

    def through(self, proxy):
        self.addCleanup(proxy.close)
        return proxy

    def test_a_proxy_that_the_kubeconfig_names(self):
        self.target()
        proxy = self.through(ConnectProxy())
        view = self.view()
        view["clusters"][0]["cluster"]["proxy-url"] = f"http://127.0.0.1:{proxy.port}"
        path = self.write("by-proxy.conf", view)
        for mode in ("job", "exec"):
            with self.subTest(mode):
                before = len(proxy.heads)
                self.check_mount("--agent", mode, kubeconfig=path)
                self.assertGreater(len(proxy.heads), before)

    def by_web_socket(self, kubeconfig=None):
        proxy = self.through(NoSpdy(self.cluster, kubeconfig))
        path = self.write("no-spdy.conf", {
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "u", "user": {}}],
            "clusters": [{"name": "k", "cluster": {"server": f"http://127.0.0.1:{proxy.port}"}}],
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": self.namespace}}]})
        return proxy, path

    def test_exec_where_no_spdy_gets_through(self):
        self.target()
        proxy, path = self.by_web_socket(self.account({**EXEC_RULES, "web socket": self.BY_GET}))
        self.check_mount("--agent", "exec", kubeconfig=path)
        self.assertEqual(proxy.refused, 1)

    def test_where_neither_gets_through(self):
        """The API server takes a WebSocket for a GET, which is a right of its own."""
        self.target()
        _, path = self.by_web_socket(self.account(EXEC_RULES))
        result, _ = self.mount_pod("--agent", "exec", kubeconfig=path, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("get pods/exec", result.stderr)

    def test_a_job_by_exec_where_no_spdy_gets_through(self):
        self.target()
        rules = {name: rule for name, rule in JOB_RULES.items() if name != "portforward"}
        proxy, path = self.by_web_socket(self.account({**rules, "exec": EXEC_RULES["exec"], "web socket": self.BY_GET}))
        self.check_mount("--agent", "job", kubeconfig=path)
        self.assertEqual(proxy.refused, 1)


class CarriersTest(WaysCase, LifecycleCase):
    """What the streams to an agent go through."""

    def test_an_ephemeral_agent_by_exec_where_ports_may_not_be_forwarded(self):
        self.target()
        rules = {name: rule for name, rule in EPHEMERAL_RULES.items() if name != "portforward"}
        user = self.account({**rules, "exec": EXEC_RULES["exec"]})
        _, mountpoint = self.mount_pod("--agent", "ephemeral", kubeconfig=user)
        self.assert_reads_nonce(mountpoint)
        self.assertTrue(self.kubectls_of(mountpoint, "relay"))
        self.assertFalse(self.kubectls_of(mountpoint, "port-forward"))

    def test_much_data_has_forwarders_beside_that_of_the_calls(self):
        self.target()
        expected = self.big_file()
        _, mountpoint = self.mount_pod("--agent", "job")
        with open(os.path.join(mountpoint, "big"), "rb") as file:
            self.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), expected)
        self.assertGreaterEqual(len(self.kubectls_of(mountpoint, "port-forward")), 2)

    def test_a_forwarder_that_dies_again_and_again_is_started_again(self):
        self.target()
        self.kubectl("exec", "web", "--", "sh", "-c", "mkdir /many; for n in $(seq 30); do echo $n > /many/$n; done")
        _, mountpoint = self.mount_pod("--agent", "job", "--deadline", "60s")
        for number in range(1, 31):
            if number % 5 == 0:
                send(self.kubectls_of(mountpoint, "port-forward"), signal.SIGKILL)
            self.assertEqual(self.read(mountpoint, "many", str(number)), str(number))
        self.assertEqual(self.state_of(mountpoint)["state"], "healthy")


if __name__ == "__main__":
    agent_modes.run_tests()
