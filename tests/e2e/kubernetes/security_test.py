#!/usr/bin/python3 -B
"""What each mode of the agent asks of PodSecurity, and keeps to itself: the same questions to all of them."""

import contextlib
import glob
import hashlib
import json
import os
import re
import socket
import ssl
import time

import agent_modes
from agent_modes import EPHEMERAL_RULES, EXEC_RULES, JOB_RULES
from secret_search import SecretSearch, recording_kubectl, secrets_in_memory
from shared_agents import AGENTS, SharedCase

LEVELS = ("privileged", "baseline", "restricted")
MODEST = {"runAsUser": 1000, "runAsGroup": 1000, "runAsNonRoot": True, "allowPrivilegeEscalation": False,
          "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../..")
SECURITY = os.path.join(ROOT, "docs/security.md")
PROTOCOL = os.path.join(ROOT, "protos/mirrorfs/v1")


def documented_levels():
    """{mode: {level: whether it works there}}: the table of docs/security.md."""
    with open(SECURITY, encoding="utf-8") as file:
        rows = re.findall(r"^\| (job|ephemeral|exec|shared) \| (yes|no)[^|]*\| (yes|no)[^|]*\| (yes|no)[^|]*\|", file.read(), re.M)
    return {mode: dict(zip(LEVELS, (cell == "yes" for cell in cells))) for mode, *cells in rows}


class PodSecurityTest(SharedCase):
    def modest_target(self, level):
        """In a namespace of that level, a pod that every level takes."""
        self.namespace = self.make_namespace(**{"pod-security.kubernetes.io/enforce": level})
        self.run_pod("web", node="node-2", volumes=[{"name": "tmp", "emptyDir": {}}],
                     container={"securityContext": MODEST, "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]})
        self.kubectl("exec", "web", "--", "sh", "-c", f"echo {self.nonce} > /tmp/nonce")

    def check_that_it_works(self, mode, *flags):
        _, mountpoint = self.mount_pod("--agent", mode, "--rw", *flags, kubeconfig=self.user() if mode == "shared" else None)
        self.assertEqual(self.read(mountpoint, "tmp/nonce"), self.nonce)
        with open(os.path.join(mountpoint, "tmp/made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/tmp/made"), self.nonce)
        self.mirrorfs("umount", mountpoint)

    def check_that_it_is_refused(self, mode):
        result, mountpoint = self.mount_pod("--agent", mode, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("PodSecurity", result.stderr)
        self.assertIn("--agent exec", result.stderr)
        self.assertFalse(os.path.ismount(mountpoint))
        self.wait_no_agents()

    def check(self, mode):
        for level, works in documented_levels()[mode].items():
            with self.subTest(f"{mode}, {level}"):
                self.modest_target(level)
                if works:
                    self.check_that_it_works(mode)
                else:
                    self.check_that_it_is_refused(mode)

    def test_job(self):
        self.check("job")

    def test_ephemeral(self):
        self.check("ephemeral")

    def test_exec(self):
        self.check("exec")

    def test_shared(self):
        self.check("shared")

    def test_a_job_of_another_namespace_reaches_what_is_restricted(self):
        agents = self.make_namespace()
        self.modest_target("restricted")
        self.check_that_it_works("job", "--agent-namespace", agents)
        self.wait_for(lambda: not self.cluster.get("jobs", "-n", agents)["items"], "the end of the agent's job")


def http2_request(path):
    """A connection's first bytes: preface, SETTINGS, and the headers of a gRPC call of that path."""
    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    def header(name, value):
        return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value  # a literal that is not indexed

    headers = {b":method": b"POST", b":scheme": b"http", b":path": path.encode(), b":authority": b"localhost",
               b"content-type": b"application/grpc", b"te": b"trailers"}
    block = b"".join(header(*item) for item in headers.items())
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 4, 1, block) + frame(0, 1, 1, b"\0\0\0\0\0")


def methods():
    """/SERVICE/METHOD of the whole protocol."""
    found = []
    for path in glob.glob(os.path.join(PROTOCOL, "*.proto")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        package = re.search(r"^package ([\w.]+);", text, re.M)[1]
        for service, body in re.findall(r"^service (\w+) \{(.*?)^\}", text, re.M | re.S):
            found += [f"/{package}.{service}/{name}" for name in re.findall(r"^\s*rpc (\w+)", body, re.M)]
    return found


class TicketsTest(SharedCase):
    LIFE = 5

    def call(self, port, ticket, path, patience):
        """(what the front says to the ticket, the first bytes of an answer to a gRPC call, if there is one)"""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=agent_modes.LIMIT)) as stream:
            stream.sendall(json.dumps({"mirrorfs": 1, "stream": "files", "ticket": ticket}).encode() + b"\n")
            said = b""
            while b"\n" not in said:
                said += stream.recv(4096)
            line, rest = said.split(b"\n", 1)
            stream.sendall(http2_request(path))
            stream.settimeout(patience)
            with contextlib.suppress(TimeoutError):
                rest = rest or stream.recv(4096)
            return json.loads(line)["code"], rest

    def test_a_ticket_that_is_over_reaches_no_method(self):
        self.install(f"ticketLife={self.LIFE}s")
        self.addCleanup(self.install)
        self.target()
        with self.forwarded() as port, contextlib.ExitStack() as stack:
            admitted = self.ask(port, {"token": self.token_of(self.user()), **self.container_of()}, stack)
            code, answer = self.call(port, admitted["ticket"], methods()[0], patience=agent_modes.LIMIT)
            self.assertEqual((code, answer[3:4]), ("ok", b"\x04"), "SETTINGS, the first that a gRPC server says")
            time.sleep(self.LIFE)  # it is the agent's clock
            self.assertGreater(len(methods()), 30)
            for path in methods():
                with self.subTest(path):
                    self.assertEqual(self.call(port, admitted["ticket"], path, patience=0.3), ("unauthenticated", b""))


class SecretsTest(SharedCase):
    """No token or secret in arguments, environments, logs, manifests."""

    def searched(self, mode, kubeconfig, **options):
        self.target()
        wrapper, self.runs = recording_kubectl(self.cluster.kubectl_program, self.scratch)
        self.bearer = self.token_of(kubeconfig)
        _, mountpoint = self.mount_pod("--agent", mode, "--rw", "--verbose", kubeconfig=kubeconfig, MIRRORFS_KUBECTL=wrapper)
        self.assert_reads_nonce(mountpoint)
        return SecretSearch(self, mountpoint, **options)

    def secrets_of(self, search):
        """What the tunnel holds, read from its memory: whatever of it is not public must be nowhere else."""
        digits, keys = secrets_in_memory(search.tunnel())
        return digits - search.public(), keys

    def check_pod_mode(self, mode, rules):
        search = self.searched(mode, self.account(rules))
        (file,) = search.token_files()
        token = self.read(file)
        digits, keys = self.secrets_of(search)
        self.assertIn(token, digits, "this search does not find what is there")
        digits.discard(hashlib.sha256(token.encode()).hexdigest())
        lines = [line for key in keys for line in key.split()]
        search.assert_kept(self.bearer, "-----BEGIN PRIVATE KEY", *digits, *lines, runs=self.runs)

    def test_job(self):
        self.check_pod_mode("job", JOB_RULES)

    def test_ephemeral(self):
        self.check_pod_mode("ephemeral", EPHEMERAL_RULES)

    def test_shared(self):
        search = self.searched("shared", self.user(), agents_namespace=AGENTS)
        self.assertEqual(search.token_files(), [])
        tickets, _ = self.secrets_of(search)
        self.assertTrue(tickets, "the ticket is not found where it is")
        search.assert_kept(self.bearer, *tickets, runs=self.runs)

    def test_exec(self):
        search = self.searched("exec", self.account(EXEC_RULES))
        self.assertEqual(search.token_files(), [])
        search.assert_kept(self.bearer, runs=self.runs)


if __name__ == "__main__":
    agent_modes.run_tests()
