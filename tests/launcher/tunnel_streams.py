"""The streams of a mount's tunnel, and work that goes on while they are cut: for tests on any runtime."""

import hashlib
import os
import signal
import threading

import world

SIZE = 200 << 20


class TunnelStreams:
    """Beside world.World, with self.mountpoint."""

    def clients(self):
        """The programs that carry streams of our mount: children of its tunnel."""
        tunnel = self.status(self.mountpoint)["agent_pid"]
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read()
            except OSError:
                continue
            if parent == tunnel and b"relay" in line:
                found.append(int(pid))
        return found

    def cut(self):
        """Kills what carries the streams, in the middle of whatever they carry."""
        for pid in self.clients():
            os.kill(pid, signal.SIGKILL)

    def meanwhile(self, work, disturb, times, pause=0.4):
        """Runs `work` while `disturb` is called so many times; both must have overlapped."""
        result, failure = [], []

        def run():
            try:
                result.append(work())
            except OSError as error:
                failure.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        overlapped = 0
        for _ in range(times):
            thread.join(pause)
            if not thread.is_alive():
                break
            disturb()
            overlapped += 1
        thread.join(5 * world.LIMIT)
        self.assertFalse(thread.is_alive())
        self.assertEqual(failure, [])
        self.assertGreater(overlapped, 0)
        return result[0]

    def digest_of(self, path):
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        return digest.hexdigest()

    def write_big(self, path):
        """No two of its blocks are alike. Gives the digest."""
        block, digest = os.urandom(1 << 20), hashlib.sha256()
        with open(path, "wb") as file:
            for number in range(SIZE >> 20):
                piece = number.to_bytes(8, "big") + block[8:]
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        return digest.hexdigest()
