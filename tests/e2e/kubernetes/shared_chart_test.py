#!/usr/bin/python3 -B
"""The chart of the shared agents: as it comes, with other values, without a right of its own; its agents evicted, replaced
by an upgrade and standing still."""

import concurrent.futures
import contextlib
import errno
import hashlib
import json
import os
import socket
import subprocess

import yaml

import access
import agent_modes
from cluster import PROGRAM
from shared_agents import AGENT_RULES, AGENTS, CHART, LIMIT, TARGET_RULES, SharedCase

HERE = os.path.dirname(os.path.realpath(__file__))
FILES = 1000


class ChartTest(SharedCase):
    def test_lint_and_schema(self):
        self.assertIn("0 chart(s) failed", self.helm("lint", "--strict", CHART))
        for wrong in ("readWrite=maybe", "port=70000", "unknown=1", "image.digest=sha256:1", "ttl=long"):
            with self.subTest(wrong), self.assertRaises(subprocess.CalledProcessError):
                self.helm("lint", "--strict", CHART, "--set", wrong)

    def test_every_object_is_one_that_the_cluster_takes(self):
        for values in ([], ["pidFrom=cgroup", "metrics.enabled=true", "networkPolicy.enabled=false", "readWrite=never"]):
            sets = [word for value in values for word in ("--set", value)]
            text = self.helm("template", "other", CHART, "-n", AGENTS, "--kube-version", "1.30", *sets)
            for item in filter(None, yaml.safe_load_all(text)):
                self.assertEqual(item["metadata"]["labels"]["app.kubernetes.io/part-of"], "mirrorfs", item)
            self.cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", input=text.replace("name: mirrorfs-agent", "name: try"))

    def test_helm_test_passes_and_the_certificate_stays_when_the_chart_is_changed(self):
        self.assertIn("Succeeded", self.helm("test", "mirrorfs-agent", "-n", AGENTS))
        before = self.cluster.get("configmap", "mirrorfs-agent", "-n", AGENTS)["data"]["tls.crt"]
        self.install("pidFrom=cgroup")
        self.assertEqual(self.cluster.get("configmap", "mirrorfs-agent", "-n", AGENTS)["data"]["tls.crt"], before)
        self.assertNotIn("hostPath", json.dumps(self.agent_pod_on("node-2")["spec"]))
        self.target()
        self.assert_reads_nonce(self.mount_pod("--agent", "shared", kubeconfig=self.user())[1])

    def test_writing_may_ask_for_a_right_of_its_own(self):
        self.install("readWrite=right")
        self.target()
        user = self.user()
        self.assert_reads_nonce(self.mount_pod("--agent", "shared", kubeconfig=user)[1])
        result, _ = self.mount_pod("--agent", "shared", "--rw", check=False, kubeconfig=user)
        self.assertIn("may not update podfiles.mirrorfs.io", result.stderr)
        self.assertEqual(result.returncode, 4)
        rules = {**TARGET_RULES, "files": access.rule("update", "podfiles", ["mirrorfs.io"])}
        _, mountpoint = self.mount_pod("--agent", "shared", "--rw", kubeconfig=self.user(target_rules=rules))
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)


class DefaultsTest(SharedCase):
    values = []   # and no others

    def test_who_has_just_the_targets_rights_mounts(self):
        """Those in the agents' namespace are given by the chart to everybody who has logged in."""
        self.target()
        user = access.service_account_kubeconfig(self.cluster, self.namespace, "user", list(TARGET_RULES.values()), self.scratch)
        _, mountpoint = self.mount_pod("--agent", "shared", "--rw", kubeconfig=user)
        self.assert_reads_nonce(mountpoint)
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)
        self.assertEqual(self.cluster.get("role", "mirrorfs-agent-user", "-n", AGENTS)["rules"], list(AGENT_RULES.values()))

    def test_nobody_is_told_numbers(self):
        address = self.agent_pod_on("node-2")["status"]["podIP"]
        socket.create_connection((address, 7444), timeout=20).close()   # the port of probes: so the way there is open
        with self.assertRaises(OSError) as caught:
            socket.create_connection((address, 9743), timeout=20)
        self.assertEqual(caught.exception.errno, errno.ECONNREFUSED)

    def test_all_that_there_is_carries_one_label(self):
        kinds = {name.split("/")[0].split(".")[0] for name in self.labelled()}
        self.assertEqual(kinds, {"daemonset", "pod", "configmap", "secret", "serviceaccount", "role", "rolebinding", "clusterrole",
                                 "clusterrolebinding", "networkpolicy"})


class AgentsOwnRightsTest(SharedCase):
    def set_rules(self, rules):
        self.cluster.kubectl("patch", "clusterrole", "mirrorfs-agent", "--type=merge", "-p", json.dumps({"rules": rules}))

    def test_each_is_needed_and_the_one_that_is_missing_is_named(self):
        self.target()
        user = self.user()
        caller = {"token": self.token_of(user), **self.container_of()}
        rules = self.cluster.get("clusterrole", "mirrorfs-agent")["rules"]
        self.assertEqual([rule["resources"] for rule in rules], [["tokenreviews"], ["subjectaccessreviews"], ["pods"]])
        with self.forwarded() as port, contextlib.ExitStack() as stack:
            stack.callback(self.set_rules, rules)
            for missing in rules:
                resource, verb = missing["resources"][0], missing["verbs"][0]
                with self.subTest(resource):
                    self.set_rules([rule for rule in rules if rule is not missing])
                    self.wait_for(lambda: self.ask(port, caller)["code"] == "unavailable", f"a refusal without {resource}")
                    result, _ = self.mount_pod("--agent", "shared", check=False, kubeconfig=user)
                    self.assertNotEqual(result.returncode, 0)
                    named = f'{AGENTS}:mirrorfs-agent" cannot {verb} resource "{resource}"'
                    for text in (named, "Its ClusterRole lacks that right"):
                        self.assertIn(text, result.stderr)
                    self.wait_for(lambda: any((line["decision"], line["why"]) == ("deny", "unavailable") and named in line["message"]
                                              for line in self.audit()), "its line in the audit")
                    self.set_rules(rules)
                    self.wait_for(lambda: self.ask(port, caller)["code"] == "ok", f"the right to {verb} {resource}")
        self.assert_reads_nonce(self.mount_pod("--agent", "shared", kubeconfig=user)[1])


class QuotaTest(SharedCase):
    values = [*SharedCase.values, "quota.connectionsPerUser=3"]

    def test_a_user_has_no_more_streams_than_his_share(self):
        self.target()
        users = [self.user() for _ in range(2)]
        alice, bob = ({"token": self.token_of(user), **self.container_of()} for user in users)
        with self.forwarded() as port, self.refused(1, "quota") as noted:
            with contextlib.ExitStack() as stack:
                admitted = self.ask(port, alice, stack)
                ticket = {"ticket": admitted["ticket"]}
                for _ in range(2):
                    self.assertEqual(self.ask(port, ticket, stack)["code"], "ok")
                for request in (alice, ticket):
                    refused = self.ask(port, request, stack)
                    self.assertEqual(refused["code"], "quota", refused)
                    self.assertIn("3 streams", refused["message"])
                    self.assertIn("quota.connectionsPerUser", refused["message"])
                result, _ = self.mount_pod("--agent", "shared", check=False, kubeconfig=users[0])
                self.assertNotEqual(result.returncode, 0)
                self.assertIn("quota.connectionsPerUser", result.stderr)
                self.assertEqual(self.ask(port, bob, stack)["code"], "ok")
            # What has ended counts no more.
            self.wait_for(lambda: self.ask(port, alice)["code"] == "ok", "room for another stream")
        self.assertEqual((noted[0]["user"], noted[0]["container_id"]), (self.name_of(users[0]), alice["container_id"]))
        self.wait_for(lambda: len(self.refused_users()) >= 2, "the refusals in the audit")
        self.assertEqual(set(self.refused_users()), {self.name_of(users[0])})

    def refused_users(self):
        return [line["user"] for line in self.audit() if line["why"] == "quota"]


class DisruptionTest(SharedCase):
    def files(self):
        """In /many of the target: a number each, after the nonce; and 200 MB, whose digest is returned."""
        self.kubectl("exec", "web", "--", "sh", "-c", f"mkdir /many; for i in $(seq {FILES}); do echo {self.nonce}$i > /many/$i; done; "
                     "head -c 200000000 /dev/urandom > /big")
        return self.kubectl("exec", "web", "--", "sha256sum", "/big").split()[0]

    def read_during(self, mountpoint, work, *arguments):
        """Reads one file after another as long as the work lasts; its result."""
        count = 0
        with concurrent.futures.ThreadPoolExecutor() as pool:
            future = pool.submit(work, *arguments)
            while not future.done():
                number = count % FILES + 1
                self.assertEqual(self.read(mountpoint, "many", str(number)), f"{self.nonce}{number}")
                count += 1
        self.assertGreater(count, 0)
        return future.result()

    def evict(self, name):
        """As `kubectl drain` asks for it, for pods that it does not leave out; returns the pod that comes instead."""
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": AGENTS}}
        self.cluster.kubectl("create", "--raw", f"/api/v1/namespaces/{AGENTS}/pods/{name}/eviction", "-f", "-",
                             input=json.dumps(eviction))
        return self.successor(name)

    def successor(self, name):
        self.wait_for(lambda: self.agent_pod_on("node-2")["metadata"]["name"] != name, f"the agent after {name}")
        return self.agent_pod_on("node-2")["metadata"]["name"]

    def upgrade(self, name):
        self.install("podAnnotations.changed=yes")
        return self.successor(name)

    def test_a_mount_goes_on_over_an_eviction_and_an_upgrade(self):
        self.target()
        expected = self.files()
        _, mountpoint = self.mount_pod("--agent", "shared", "--deadline", "90s", kubeconfig=self.user())
        agents = [self.agent_pod_on("node-2")["metadata"]["name"]]
        digest = hashlib.sha256()
        with open(os.path.join(mountpoint, "big"), "rb") as file:
            for disturb in (self.evict, self.upgrade):
                for _ in range(40):
                    digest.update(file.read(1 << 20))
                agents.append(self.read_during(mountpoint, disturb, agents[-1]))
            while block := file.read(1 << 20):
                digest.update(block)
        self.assertEqual(digest.hexdigest(), expected)
        self.assertEqual(len(set(agents)), 3)
        self.kubectl("exec", "web", "--", "sh", "-c", f"echo {self.nonce}2 > /nonce")
        self.wait_for(lambda: self.read(mountpoint, "nonce") == self.nonce + "2", "the new text")
        self.mirrorfs("umount", mountpoint)

    def test_a_front_that_stands_still_is_not_ready_and_is_started_anew(self):
        self.target()
        name = self.agent_pod_on("node-2")["metadata"]["name"]
        for how, stand_still in (("all of it", self.stop_front), ("its own thread alone", self.hold_front)):
            with self.subTest(how), contextlib.ExitStack() as stack:
                before = self.state(name)["restartCount"]
                stand_still(stack)
                self.wait_for(lambda: not self.state(name)["ready"], "readiness that falls")
                self.wait_for(lambda: self.state(name)["restartCount"] > before, "another start")
                self.wait_for(lambda: self.state(name)["ready"], "readiness")
                _, mountpoint = self.mount_pod("--agent", "shared", kubeconfig=self.user())
                self.assert_reads_nonce(mountpoint)
                self.mirrorfs("umount", mountpoint)

    def state(self, name):
        return self.cluster.get("pod", name, "-n", AGENTS)["status"]["containerStatuses"][0]

    def stop_front(self, _):
        self.cluster.node_exec("node-2", "kill", "-STOP", self.front())

    def hold_front(self, stack):
        """Its other threads, that of the health service among them, run on."""
        words = [PROGRAM, "exec", self.cluster.directory, "node-2", "/usr/bin/python3", os.path.join(HERE, "hold_thread.py"), self.front()]
        process = stack.enter_context(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True))
        stack.callback(process.kill)
        self.assertEqual(process.stdout.readline(), "held\n")


if __name__ == "__main__":
    agent_modes.run_tests()
