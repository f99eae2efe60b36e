"""mirrorfs-agent relay: stdin and stdout as a connection. Usage: relay_test.py AGENT [unittest's arguments]."""

import hashlib
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

LIMIT = 60


class RelayTest(unittest.TestCase):
    agent = ""

    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.path = os.path.join(self.place.name, "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.listener.settimeout(LIMIT)
        self.addCleanup(self.listener.close)

    def start(self):
        """A relay, and the agent's end of its connection."""
        relay = subprocess.Popen([self.agent, "relay", self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.clear_away, relay)
        connection, _ = self.listener.accept()
        self.addCleanup(connection.close)
        return relay, connection

    def clear_away(self, relay):
        relay.kill()
        relay.wait()
        relay.stdin.close()
        relay.stdout.close()

    def test_both_ways_at_once(self):
        """Each side sends all it has before it reads anything: nothing stops, nothing is lost."""
        relay, connection = self.start()
        there, back = os.urandom(24 << 20), os.urandom(24 << 20)
        received = {}

        def read(name, count, function):
            digest, left = hashlib.sha256(), count
            while left:
                piece = function(min(left, 1 << 16))
                if not piece:
                    break
                digest.update(piece)
                left -= len(piece)
            received[name] = (left, digest.hexdigest())

        threads = [
            threading.Thread(target=lambda: (relay.stdin.write(there), relay.stdin.flush())),
            threading.Thread(target=connection.sendall, args=(back,)),
            threading.Thread(target=read, args=("there", len(there), connection.recv)),
            threading.Thread(target=read, args=("back", len(back), relay.stdout.read)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        self.assertEqual(received["there"], (0, hashlib.sha256(there).hexdigest()))
        self.assertEqual(received["back"], (0, hashlib.sha256(back).hexdigest()))

    def test_one_way_that_is_stuck_does_not_stop_the_other(self):
        relay, connection = self.start()
        connection.setblocking(False)
        with self.assertRaises(BlockingIOError):  # nobody reads the relay's stdout
            while True:
                connection.send(bytes(1 << 16))
                select.select([], [connection], [], 0.5)
        relay.stdin.write(b"through")
        relay.stdin.flush()
        connection.setblocking(True)
        self.assertEqual(connection.recv(7, socket.MSG_WAITALL), b"through")

    def test_the_end_of_stdin_ends_it(self):
        relay, connection = self.start()
        relay.stdin.close()
        self.assertEqual(relay.wait(LIMIT), 0)
        self.assertEqual(connection.recv(1), b"")

    def test_the_end_of_the_connection_ends_it(self):
        for half in (True, False):
            with self.subTest(half=half):
                relay, connection = self.start()
                connection.sendall(b"last words")
                self.assertEqual(relay.stdout.read(10), b"last words")
                if half:
                    connection.shutdown(socket.SHUT_WR)
                else:
                    connection.close()
                self.assertEqual(relay.wait(LIMIT), 0)

    def test_it_waits_without_work_and_without_rights(self):
        relay, connection = self.start()
        connection.sendall(b"x")
        self.assertEqual(relay.stdout.read(1), b"x")

        def used():
            with open(f"/proc/{relay.pid}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        before = used()
        time.sleep(1)
        self.assertLessEqual(used() - before, 2)  # ticks of 10 ms; a busy loop has 100
        for thread in os.listdir(f"/proc/{relay.pid}/task"):
            with open(f"/proc/{relay.pid}/task/{thread}/status", encoding="utf-8") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            self.assertEqual(int(status["CapPrm"], 16), 0)
            self.assertEqual(status["NoNewPrivs"], "1")
            self.assertEqual(status["Seccomp"], "2")

    def test_no_agent(self):
        for path in (os.path.join(self.place.name, "nothing"), "/" + "x" * 200):
            result = subprocess.run([self.agent, "relay", path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                    timeout=LIMIT, check=False)
            self.assertEqual(result.returncode, 6)
            self.assertTrue(result.stderr.startswith("mirrorfs-agent: relay /"), result.stderr)


if __name__ == "__main__":
    RelayTest.agent = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
