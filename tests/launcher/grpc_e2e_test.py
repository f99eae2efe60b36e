"""mirrorfs mount of an agent that listens on TCP: mutual TLS and a token, and what happens without them."""

import os
import re
import subprocess
import unittest

import world

TOKEN = "correct horse battery staple"


class GrpcTest(world.World):

    def setUp(self):
        super().setUp()
        self.mountpoint = self.directory("mnt")
        self.agents = set()
        self.make_authority("ours")
        self.make_authority("theirs")
        self.token = self.write("token", TOKEN + "\n")
        os.chmod(self.token, 0o600)

    def processes(self):
        """Without the agents, which the mounts do not own."""
        return {pid: line for pid, line in super().processes().items() if pid not in self.agents}

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.place)

    def make_authority(self, name):
        """NAME.pem, and a certificate of its own for 127.0.0.1: NAME-peer.pem."""
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=peer",
                     "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{name}-peer.key", "-out", f"{name}-peer.csr")
        self.openssl("x509", "-req", "-in", f"{name}-peer.csr", "-CA", f"{name}.pem", "-CAkey", f"{name}.key",
                     "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", f"{name}-peer.pem")

    def start_agent(self, *words):
        """Its endpoint; it ends with the test."""
        readable, writable = os.pipe()
        agent = subprocess.Popen([os.path.join(self.bin, "mirrorfs-agent"), "--target", f"dir:{self.source}",
                                  "--listen", "127.0.0.1:0", "--ready-fd", str(writable), *words],
                                 pass_fds=(writable,))
        self.agents.add(agent.pid)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.terminate)
        os.close(writable)
        with os.fdopen(readable) as ready:
            endpoint = re.fullmatch(r"ready (.*:\d+)\n", ready.readline())
        self.assertIsNotNone(endpoint)
        return "grpc://" + endpoint.group(1).removeprefix("dns:").removeprefix("ipv4:")

    def tls(self, authority, peer):
        path = lambda name: os.path.join(self.place, name)  # noqa: E731
        return ("--tls-ca", path(f"{authority}.pem"), "--tls-cert", path(f"{peer}-peer.pem"),
                "--tls-key", path(f"{peer}-peer.key"))

    def refused(self, *words):
        result = self.run_command("mount", *words, self.mountpoint, "--deadline", "2s")
        self.assertIn(result.returncode, (4, 6), result.stderr)
        self.assertTrue(result.stderr.startswith("mirrorfs: "), result.stderr)
        self.assertNotIn(TOKEN, result.stderr)
        self.assert_nothing_left()

    def test_tls_and_token(self):
        endpoint = self.start_agent("--rw", "--token-file", self.token, *self.tls("ours", "ours"))
        good = self.tls("ours", "ours")
        self.succeed("mount", endpoint, self.mountpoint, "--rw", "--token-file", self.token, *good)
        self.assertEqual(sorted(os.listdir(self.mountpoint)), ["file", "sub"])
        with open(os.path.join(self.mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write("over TLS")
        with open(os.path.join(self.source, "made"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "over TLS")
        for process in self.processes():
            with open(f"/proc/{process}/cmdline", encoding="utf-8") as words, \
                 open(f"/proc/{process}/environ", encoding="utf-8") as environment:
                self.assertNotIn(TOKEN, words.read() + environment.read())
        self.succeed("umount", self.mountpoint)
        self.assert_nothing_left()

    def test_what_is_refused(self):
        endpoint = self.start_agent("--token-file", self.token, *self.tls("ours", "ours"))
        good = self.tls("ours", "ours")
        wrong = self.write("wrong", "another token\n")
        os.chmod(wrong, 0o600)
        self.refused(endpoint, "--token-file", self.token)  # no TLS
        self.refused(endpoint, "--token-file", self.token, *self.tls("theirs", "ours"))  # another server than expected
        self.refused(endpoint, "--token-file", self.token, *self.tls("ours", "theirs"))  # another client
        self.refused(endpoint, *good)  # no token
        self.refused(endpoint, "--token-file", wrong, *good)
        self.refused(endpoint, "--rw", "--token-file", self.token, *good)  # the agent serves for reading only
        self.succeed("mount", endpoint, self.mountpoint, "--token-file", self.token, *good)
        self.succeed("umount", self.mountpoint)


if __name__ == "__main__":
    world.main()
