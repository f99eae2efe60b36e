#!/usr/bin/python3 -B
"""The shared agent of a node: who is let in, to what, and how that is told; a mount through it from begin to end."""

import contextlib
import errno
import json
import os
import socket
import subprocess
import urllib.request

import access
import agent_modes
from agent_modes import CAPABILITIES, LIMIT
from cluster import pod
from shared_agents import AGENT_RULES, AGENTS, TARGET_RULES, SharedCase


class SharedModeTest(SharedCase):
    def test_read_write_and_run_by_the_command_alone(self):
        self.target(container={"env": [{"name": "NONCE", "value": self.nonce}]})
        user = self.user()
        result, mountpoint = self.mount_pod("--agent", "shared", "--rw", kubeconfig=user)
        self.assert_reads_nonce(mountpoint)
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)
        self.mirrorfs("umount", mountpoint)
        how = ("--agent", "shared", "-n", self.namespace)
        ran = self.mirrorfs("exec", *how, "--target", "pod/web", "--env=NONCE", "--", "sh", "-c", "cat /nonce; echo $NONCE",
                            environment=self.as_user(user))
        self.assertEqual(ran.stdout, f"{self.nonce}\n{self.nonce}\n")
        copied = os.path.join(self.scratch, "copied")
        self.mirrorfs("cp", *how, "pod/web:/made", copied, environment=self.as_user(user))
        self.assertEqual(self.read(copied), self.nonce)
        self.mirrorfs("cp", *how, copied, "pod/web:/back", environment=self.as_user(user))
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/back"), self.nonce)
        self.wait_for(lambda: not self.children(), "the end of the container's agents")

    def test_doctor_tells_whether_it_may_be_used(self):
        self.target()
        for user, result, code, text in ((self.user(), "ok", 0, "permitted"),
                                         (self.user(target_rules={"pods": TARGET_RULES["pods"]}), "warning", 4, "pods/exec")):
            said = self.mirrorfs("doctor", "-o", "json", "-n", self.namespace, "--agent", "shared", "-t", "pod/web", check=False,
                                 environment=self.as_user(user))
            checks = {check["check"]: check for check in json.loads(said.stdout)}
            self.assertEqual((said.returncode, checks["--agent shared"]["result"]), (code, result), said.stdout)
            self.assertIn(text, checks["--agent shared"]["text"])

    def test_read_only_is_kept_by_the_agent(self):
        """Whatever the client asks for: this one has no mount that would refuse before."""
        self.target()
        caller = {"token": self.token_of(self.user()), **self.container_of()}
        with self.forwarded() as port, contextlib.ExitStack() as stack:
            for mode in ("ro", "rw"):
                admitted = self.ask(port, {**caller, "mode": mode}, stack)
                with self.subTest(mode), self.file_streams(port, admitted["ticket"]) as path:
                    mountpoint = os.path.join(self.scratch, mode)
                    os.mkdir(mountpoint)
                    result = self.mirrorfs("mount", f"unix:{path}", mountpoint, "--rw", "--as", "container", check=False)
                    if mode == "ro":
                        self.assertNotEqual(result.returncode, 0)
                        self.assertIn("the agent was started read-only", result.stderr)
                        self.assertFalse(os.path.ismount(mountpoint))
                        continue
                    self.assertEqual(result.returncode, 0, result.stderr)
                    with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
                        file.write(self.nonce)
                    self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)
                    self.mirrorfs("umount", mountpoint)

    def test_each_thread_holds_what_is_documented(self):
        self.target()
        self.tree()
        reading, writing = CAPABILITIES["read-only"], CAPABILITIES["--rw"]
        in_pod = writing[0]  # what the chart gives, and nobody can have more
        for words, (permitted, effective) in (((), reading), (("--rw",), writing)):
            with self.subTest(words):
                _, mountpoint = self.mount_pod("--agent", "shared", *words, kubeconfig=self.user())
                (child,) = self.children()
                self.check_threads("node-2", {self.front(): (in_pod, 0, in_pod),
                                              child.split()[0]: (permitted, effective, in_pod)}, mountpoint, bool(words))
                self.mirrorfs("umount", mountpoint)
                self.wait_for(lambda: not self.children(), "the end of the container's agent")

    def test_auto_takes_it_where_it_is_permitted_and_says_so(self):
        self.target()
        user = self.user()
        read = self.mirrorfs("cat", "-n", self.namespace, "pod/web:/nonce", environment=self.as_user(user))
        self.assertEqual(read.stdout.strip(), self.nonce)
        self.assertIn("agent mode shared", read.stderr)
        read = self.mirrorfs("cat", "-n", self.namespace, "--as", "0", "pod/web:/nonce", environment=self.as_user(), check=False)
        self.assertIn("shared", read.stderr)
        self.assertNotIn("agent mode shared", read.stderr)

    def test_whoever_may_not_exec_in_a_namespace_is_refused_there(self):
        self.target()
        user = self.user()
        home, self.namespace = self.namespace, self.make_namespace()
        self.target()
        name = os.path.basename(user).removesuffix(".kubeconfig")
        access.grant(self.cluster, self.namespace, name, [TARGET_RULES["pods"]],
                     {"kind": "ServiceAccount", "name": name, "namespace": home})
        result, mountpoint = self.mount_pod("--agent", "shared", check=False, kubeconfig=user)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn(f"may not create pods/exec in namespace {self.namespace}", result.stderr)
        self.assertFalse(os.path.ismount(mountpoint))
        (line,) = self.audit()
        self.assertEqual((line["decision"], line["why"], line["pod"]), ("deny", "forbidden", "web"))
        self.assertEqual(line["user"], f"system:serviceaccount:{home}:{name}")
        self.namespace = home
        self.assert_reads_nonce_of(self.mount_pod("--agent", "shared", kubeconfig=user)[1], home)

    def assert_reads_nonce_of(self, mountpoint, namespace):
        self.assertEqual(self.read(mountpoint, "nonce"), self.cluster.kubectl("exec", "-n", namespace, "web", "--", "cat", "/nonce"))

    def test_two_teams_on_one_node_do_not_reach_each_others_containers(self):
        self.target()
        alice = {"token": self.token_of(self.user())}
        own = self.container_of()
        other_namespace = self.make_namespace()
        self.cluster.apply(pod("web", node="node-2"), namespace=other_namespace)
        self.cluster.wait_running("web", namespace=other_namespace)
        others = self.container_of(namespace=other_namespace)
        with self.forwarded() as port, contextlib.ExitStack() as stack:
            self.assertEqual(self.ask(port, {**alice, **others}, stack)["code"], "forbidden")
            for field in ("container_id", "uid"):
                self.assertEqual(self.ask(port, {**alice, **own, field: others[field]}, stack)["code"], "no_target")
            admitted = self.ask(port, {**alice, **own}, stack)
            self.assertEqual(admitted["code"], "ok", admitted)
            # A ticket is for what it was given for; who has it can ask for nothing else with it.
            self.assertEqual(self.ask(port, {"ticket": admitted["ticket"], **others}, stack)["code"], "ok")
            self.assertTrue(all(others["container_id"].split("//")[1] not in child for child in self.children()))
            with self.refused(1, "unauthenticated") as noted:
                self.assertEqual(self.ask(port, {"ticket": "0" * 64}, stack)["code"], "unauthenticated")
            self.assertEqual(noted[0]["message"], "the ticket is over")
            # The same container for another user is another agent.
            bob = {"token": self.token_of(self.user())}
            self.assertEqual(self.ask(port, {**bob, **own}, stack)["code"], "ok")
            self.assertEqual(len(self.children()), 2)

    def test_a_token_goes_only_to_who_has_the_published_certificate(self):
        self.target()
        namespace = self.fake_agents()
        user = self.user()
        name = os.path.basename(user).removesuffix(".kubeconfig")
        access.grant(self.cluster, namespace, name, list(AGENT_RULES.values()),
                     {"kind": "ServiceAccount", "name": name, "namespace": self.namespace})
        result, _ = self.mount_pod("--agent", "shared", "--agent-namespace", namespace, check=False, kubeconfig=user)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("does not show the certificate", result.stderr)
        told = self.cluster.kubectl("exec", "-n", namespace, "fake", "--", "sh", "-c", "cat /called; cat /told; ls /told")
        self.assertIn("called", told)
        self.assertEqual(told.replace("called", "").split(), ["/told"], "something was told to a wrong agent")

    def fake_agents(self):
        """A namespace in which the right certificate is published, and somebody else listens."""
        namespace = self.make_namespace()
        published = self.cluster.get("configmap", "mirrorfs-agent", "-n", AGENTS)
        key = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=mirrorfs-agent", "-keyout", "-",
             "-days", "1"], check=True, capture_output=True, text=True).stdout
        with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "fake_agent.py"), encoding="utf-8") as file:
            program = file.read()
        fake = pod("fake", "mirrorfs-test/python:1", node="node-2",
                   container={"command": ["sh", "-c", "touch /told; exec python3 /fake/fake_agent.py /fake/key.pem /told /called"],
                              "volumeMounts": [{"name": "fake", "mountPath": "/fake"}]},
                   volumes=[{"name": "fake", "configMap": {"name": "fake"}}])
        fake["metadata"]["labels"] = {"app.kubernetes.io/name": "mirrorfs-agent", "mirrorfs.io/mode": "shared"}
        config = {"apiVersion": "v1", "kind": "ConfigMap"}
        self.cluster.apply({**config, "metadata": {"name": "mirrorfs-agent"}, "data": published["data"]},
                           {**config, "metadata": {"name": "fake"}, "data": {"fake_agent.py": program, "key.pem": key}}, fake,
                           namespace=namespace)
        self.cluster.wait_running("fake", namespace=namespace)
        return namespace

    def test_whoever_has_only_a_certificate_is_told_so_and_auto_goes_on(self):
        self.target()
        rules = [*TARGET_RULES.values(), *agent_modes.EXEC_RULES.values()]
        user = access.user_kubeconfig(self.cluster, self.namespace, "user-" + self.nonce[:6], rules, self.scratch)
        access.grant(self.cluster, AGENTS, "user-" + self.nonce[:6], list(AGENT_RULES.values()),
                     {"kind": "User", "name": "user-" + self.nonce[:6]})
        self.addCleanup(self.cluster.kubectl, "delete", "role,rolebinding", "user-" + self.nonce[:6], "-n", AGENTS)
        result, _ = self.mount_pod("--agent", "shared", check=False, kubeconfig=user)
        self.assertIn("only a client certificate", result.stderr)
        result, mountpoint = self.mount_pod(kubeconfig=user)
        self.assertIn("only a client certificate", result.stderr)
        self.assertIn("agent mode exec", result.stderr)
        self.assert_reads_nonce(mountpoint)

    def test_who_acts_as_somebody_else_is_told_that_no_token_proves_it(self):
        self.target()
        result, _ = self.mount_pod("--agent", "shared", "--kube-as", "kubernetes-admin", "--kube-as-group", "system:masters",
                                   check=False)
        self.assertIn("--kube-as", result.stderr)
        self.assertEqual(result.returncode, 4)

    def test_tokens_from_files_and_plugins(self):
        self.target()
        user = self.user()
        token = self.token_of(user)
        with open(os.path.join(self.scratch, "token"), "w", encoding="utf-8") as file:
            file.write(token + "\n")
        plugin = os.path.join(self.scratch, "plugin")
        with open(plugin, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\ncase $KUBERNETES_EXEC_INFO in *ExecCredential*) ;; *) exit 1 ;; esac\n'
                       'echo "{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"kind\\":\\"ExecCredential\\",'
                       f'\\"status\\":{{\\"token\\":\\"$(cat {self.scratch}/token)\\"}}}}"\n')
        os.chmod(plugin, 0o700)
        for described in ({"tokenFile": os.path.join(self.scratch, "token")},
                          {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Never"}}):
            with self.subTest(described):
                read = self.mirrorfs("cat", "--agent", "shared", "-n", self.namespace, "pod/web:/nonce",
                                     environment=self.as_user(self.with_user(user, **described)))
                self.assertEqual(read.stdout.strip(), self.nonce)

    def test_tokens_that_prove_nobody_are_refused(self):
        self.target()
        user = self.user()
        token = self.token_of(user)
        own = self.container_of()
        self.kubectl("delete", "serviceaccount", os.path.basename(user).removesuffix(".kubeconfig"))
        with self.forwarded() as port:
            for wrong in ("garbage", token, token[:-4] + "AAAA"):
                answer = self.ask(port, {"token": wrong, **own})
                self.assertEqual(answer["code"], "unauthenticated", answer)
                self.assertIn("kubectl auth whoami", answer["message"])
        self.assertEqual({(line["decision"], line["user"]) for line in self.audit()}, {("deny", "")})

    def test_prefaces_that_cannot_be_used(self):
        lines = (b"\n", b"{}\n", b"GET / HTTP/1.1\r\n\r\n", b"[" * 1000 + b"\n", b"x" * 70_000,
                 b'{"mirrorfs":1,"token":"x","namespace":"../..","pod":"p","uid":"u","container":"c","container_id":"i"}\n')
        with self.forwarded() as port, self.refused(len(lines), "bad_request") as noted:
            for line in lines:
                with self.subTest(line[:20]):
                    self.assertEqual(self.ask(port, line)["code"], "bad_request")
        self.assertEqual({(line["user"], line["pod"], line["node"]) for line in noted}, {("", "", "node-2")})

    def test_who_says_nothing_is_not_waited_for(self):
        with self.forwarded() as port, socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as stream:
            self.assertEqual(stream.recv(1), b"")

    def test_a_user_has_no_more_than_his_share(self):
        self.target()
        self.target("other")
        users = [self.user() for _ in range(2)]
        alice, bob = ({"token": self.token_of(user)} for user in users)
        with self.forwarded() as port, contextlib.ExitStack() as stack:
            for request in ({}, {"mode": "rw"}, self.container_of("other")):
                self.assertEqual(self.ask(port, {**alice, **self.container_of(), **request}, stack)["code"], "ok")
            refused = self.ask(port, {**alice, **self.container_of("other"), "mode": "rw"}, stack)
            self.assertEqual(refused["code"], "quota")
            self.assertIn("quota.sessionsPerUser", refused["message"])
            self.assertEqual(self.ask(port, {**bob, **self.container_of("other"), "mode": "rw"}, stack)["code"], "ok")
            self.assertEqual(len(self.children()), 4)
            self.wait_for(lambda: len(self.audit()) >= 5, "the lines of the audit")
            noted = [(line["decision"], line["why"], line["user"], line["container"], line["mode"]) for line in self.audit()]
            names = [self.name_of(user) for user in users]
            allow = ("allow", "may create pods/exec")
            self.assertEqual(noted, [(*allow, names[0], "app", "ro"), (*allow, names[0], "app", "rw"), (*allow, names[0], "app", "ro"),
                                     ("deny", "quota", names[0], "app", "rw"), (*allow, names[1], "app", "rw")])
            self.check_that_auto_goes_on(users[0])
        self.wait_for(lambda: not self.children(), "the end of the agents that nobody uses")

    def check_that_auto_goes_on(self, user):
        """Who may use a shared agent, and has no more of it, gets one that is put into the container."""
        mountpoint = os.path.join(self.scratch, "mnt-other")
        os.mkdir(mountpoint)
        result = self.mirrorfs("mount", "--rw", "-n", self.namespace, "pod/other", mountpoint, environment=self.as_user(user))
        self.addCleanup(self.mirrorfs, "umount", "--lazy", mountpoint, check=False)
        self.assertIn("agent mode exec, as shared failed", result.stderr)
        self.assertIn("quota.sessionsPerUser", result.stderr)
        self.assert_reads_nonce(mountpoint)

    def test_each_attach_is_in_the_agents_log_and_no_token_is(self):
        self.target()
        user = self.user()
        self.mount_pod("--agent", "shared", "--rw", kubeconfig=user)
        (line,) = self.audit()
        expected = {**self.container_of(), "user": self.name_of(user), "mode": "rw", "decision": "allow", "node": "node-2"}
        del expected["uid"]
        self.assertEqual({key: line[key] for key in expected}, expected)
        self.assertIn(f"system:serviceaccounts:{self.namespace}", line["groups"])
        log = self.cluster.kubectl("logs", "-n", AGENTS, self.agent_pod_on("node-2")["metadata"]["name"])
        self.assertNotIn(self.token_of(user), log)
        commands = self.cluster.node_exec("node-2", "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true")
        self.assertNotIn(self.token_of(user), commands)

    def test_an_agent_that_is_restarted_under_a_mount(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "shared", "--deadline", "60s", kubeconfig=self.user())
        self.assert_reads_nonce(mountpoint)
        before = self.agent_pod_on("node-2")["metadata"]["name"]
        self.cluster.kubectl("delete", "pod", before, "-n", AGENTS, "--wait=false")
        self.wait_for(lambda: self.agent_pod_on("node-2")["metadata"]["name"] != before, "another agent")
        self.kubectl("exec", "web", "--", "sh", "-c", f"echo {self.nonce}2 > /nonce")
        self.wait_for(lambda: self.read(mountpoint, "nonce") == self.nonce + "2", "the new text")
        self.mirrorfs("umount", mountpoint)

    def test_a_pod_that_is_deleted_under_a_mount(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "shared", kubeconfig=self.user())
        self.kubectl("delete", "pod", "web")
        self.wait_for(lambda: self.state_of(mountpoint)["state"] == "target gone", "the state")
        with self.assertRaises(OSError) as caught:
            self.read(mountpoint, "nonce")
        self.assertIn(caught.exception.errno, (errno.ESTALE, errno.EHOSTDOWN))

    def test_the_least_rights_are_enough_and_each_is_needed(self):
        self.target()
        _, mountpoint = self.mount_pod("--agent", "shared", kubeconfig=self.user())
        self.assert_reads_nonce(mountpoint)
        for where, missing, text in (("target", "pods", "get pods"), ("target", "exec", "create pods/exec"),
                                     ("agent", "configmaps", "get configmaps"), ("agent", "pods", "list pods"),
                                     ("agent", "portforward", "create pods/portforward")):
            with self.subTest(f"{where} {missing}"):
                rules = {"target": dict(TARGET_RULES), "agent": dict(AGENT_RULES)}
                del rules[where][missing]
                user = self.user(target_rules=rules["target"], agent_rules=rules["agent"])
                result, _ = self.mount_pod("--agent", "shared", check=False, kubeconfig=user)
                self.assertEqual(result.returncode, 4, result.stderr)
                self.assertIn(text, result.stderr)

    def test_numbers_for_prometheus(self):
        self.target()
        with self.forwarded() as port:
            self.ask(port, {"token": "garbage", **self.container_of()})
            self.ask(port, b"{}\n")
        address = self.agent_pod_on("node-2")["status"]["podIP"]
        with urllib.request.urlopen(f"http://{address}:9743/metrics", timeout=20) as answer:
            text = answer.read().decode()
        for decision in ("unauthenticated", "bad_request"):
            self.assertRegex(text, r'mirrorfs_agent_attaches_total\{decision="%s"\} [1-9]' % decision)
        self.assertIn("# TYPE mirrorfs_agent_sessions gauge", text)


if __name__ == "__main__":
    agent_modes.run_tests()
