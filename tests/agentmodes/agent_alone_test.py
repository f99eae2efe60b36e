#!/usr/bin/python3
"""The agent as a pod starts it, without any cluster: what it says of itself, and whom it lets in.

agent_alone_test.py BIN
"""
import hashlib
import os
import re
import secrets
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest

BIN = ""
AGENT = "mirrorfs-agent"


def openssl(directory, *words):
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


class World:
    """A directory with an authority, a client's certificate, a token."""

    def __init__(self, directory):
        self.directory = directory
        self.token = secrets.token_hex(32)
        for name in ("ca", "other"):
            openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
            openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    "/CN=client", "-keyout", f"of-{name}.key", "-out", f"of-{name}.csr")
            openssl(directory, "x509", "-req", "-days", "2", "-in", f"of-{name}.csr", "-CA", f"{name}.pem", "-CAkey",
                    f"{name}.key", "-CAcreateserial", "-out", f"of-{name}.pem")

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()


class AgentAloneTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.world = World(scratch.name)

    def environment(self):
        """A confined agent that ends cannot be searched for leaks: that takes a ptrace."""
        return {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

    def start(self, *words, target=None):
        digest = hashlib.sha256(self.world.token.encode()).hexdigest()
        agent = subprocess.Popen(
            [os.path.join(BIN, AGENT), "--target", target or "pid/" + str(os.getpid()), "--listen", "127.0.0.1:0",
             "--facts-listen", "127.0.0.1:0", "--own-certificate", "--client-ca-pem", self.world.read("ca.pem"),
             "--token-sha256", digest, "--ready-fd", "1", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment())
        self.addCleanup(agent.communicate)
        self.addCleanup(agent.kill)
        said = []
        for line in agent.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith("ready "):
                break
        self.said = "\n".join(said)
        if "ready" in self.said:
            self.port = int(re.search(r"^ready 127\.0\.0\.1:(\d+)$", self.said, re.M)[1])
            self.facts_port = int(re.search(r"^facts 127\.0\.0\.1:(\d+)$", self.said, re.M)[1])
            self.certificate = re.search(r"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\n", self.said + "\n",
                                         re.S)[0]
        return agent

    def context(self, client="of-ca", version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata=self.certificate)
        context.set_alpn_protocols(["h2"])
        if client:
            context.load_cert_chain(self.world.path(client + ".pem"), self.world.path(client + ".key"))
        if version:
            context.maximum_version = version
        return context

    def greeted(self, port, context):
        """True if the server goes on talking after the handshake: HTTP/2's first frame is its SETTINGS."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as plain, context.wrap_socket(plain) as stream:
                stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
                return len(stream.recv(9)) > 0
        except (ssl.SSLError, ConnectionError):
            return False

    def facts(self, token, client="of-ca"):
        try:
            with socket.create_connection(("127.0.0.1", self.facts_port), timeout=10) as plain, \
                    self.context(client).wrap_socket(plain) as stream:
                stream.sendall(token.encode())
                with stream.makefile("rb") as file:
                    head = file.read(8)
                    return file.read(struct.unpack(">Q", head)[0]) if len(head) == 8 else None
        except (ssl.SSLError, ConnectionError):
            return None

    def test_says_who_it_is(self):
        self.start()
        self.assertRegex(self.said, r"\Amirrorfs-agent \d+\.\d+\.\d+ protocol \d+\n-----BEGIN CERTIFICATE-----\n")
        self.assertNotIn("PRIVATE", self.said)

    def test_every_start_has_another_key(self):
        self.start()
        first = self.certificate
        self.start()
        self.assertNotEqual(first, self.certificate)

    def test_lets_in_whom_its_authority_has_signed(self):
        self.start()
        self.assertTrue(self.greeted(self.port, self.context()))
        self.assertFalse(self.greeted(self.port, self.context("of-other")))
        self.assertFalse(self.greeted(self.port, self.context(None)))

    def test_speaks_tls_1_3_only(self):
        self.start()
        for port in (self.port, self.facts_port):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
                    self.context(version=ssl.TLSVersion.TLSv1_2).wrap_socket(plain)

    def test_tells_facts_to_who_has_certificate_and_token(self):
        os.environ["MIRRORFS_TEST_NONCE"] = nonce = secrets.token_hex(16)
        child = subprocess.Popen(["sleep", "60"])
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.start(target=f"pid/{child.pid}")
        self.assertIn(nonce.encode(), self.facts(self.world.token))
        self.assertIsNone(self.facts(secrets.token_hex(32)))
        self.assertIsNone(self.facts(self.world.token, client="of-other"))
        self.assertIsNone(self.facts(self.world.token, client=None))
        self.assertNotIn(nonce, self.said)

    def test_somebody_slow_does_not_keep_others_from_the_facts(self):
        self.start()
        with socket.create_connection(("127.0.0.1", self.facts_port)):
            self.assertIsNotNone(self.facts(self.world.token))

    def test_health(self):
        agent = self.start()
        health = [os.path.join(BIN, AGENT), "health", f"127.0.0.1:{self.port}"]
        self.assertEqual(subprocess.run(health, capture_output=True, check=False).returncode, 0)
        agent.send_signal(signal.SIGSTOP)
        self.assertEqual(subprocess.run(health, capture_output=True, check=False).returncode, 1)
        agent.send_signal(signal.SIGCONT)
        agent.kill()
        agent.wait()
        self.assertEqual(subprocess.run(health, capture_output=True, check=False).returncode, 1)

    def test_ends_when_nobody_comes(self):
        begin = time.monotonic()
        agent = self.start("--ttl", "100ms", "--first-session", "2s")
        self.assertEqual(agent.wait(timeout=60), 0)
        self.assertGreater(time.monotonic() - begin, 1.9)

    def test_what_does_not_go_together_is_refused(self):
        agent = self.start("--tls-cert", "/x", "--tls-key", "/x")
        self.assertIn("--own-certificate", agent.communicate()[1])
        words = ["--target", "dir:/", "--listen", "unix:/x/y", "--token-sha256", "abc"]
        refused = subprocess.run([os.path.join(BIN, AGENT), *words], capture_output=True, text=True, check=False)
        self.assertIn("64 hexadecimal digits", refused.stderr)

    def test_a_process_is_found_by_its_control_group(self):
        agent = self.start("--pid-from", "cgroup", target="cri/" + "0" * 64)
        self.assertIn("no process that can be seen here belongs to it", agent.communicate()[1])
        agent = self.start("--pid-from", "cgroup", target="cri/abc")
        self.assertIn("whole id", agent.communicate()[1])


if __name__ == "__main__":
    BIN = os.path.realpath(sys.argv.pop(1))
    unittest.main(verbosity=2)
