"""What is measured: the tree itself, and the ways to mount it. Each owns the processes that it starts."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
WAIT_SECONDS = 20


def wait_until(condition, what):
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {WAIT_SECONDS} s")
        time.sleep(0.01)


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def running(command, log, **options):
    """A background process, ended with the block."""
    with open(log, "ab") as out:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stderr=out,
                                   **({"stdout": out} | options))
    try:
        yield process
    finally:
        stop(process)


def is_mounted(directory):
    return any(line.split()[1] == str(directory) for line in pathlib.Path("/proc/self/mounts").read_text().splitlines())


def unmount(directory):
    for command in (["fusermount3", "-u", str(directory)], ["umount", str(directory)], ["umount", "-l", str(directory)]):
        if not is_mounted(directory):
            return
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def delayed(rtt, listen, target, log):
    """The address to use instead of target: a proxy's where there is a distance to put in between."""
    if not rtt:
        yield target
        return
    with running([sys.executable, HERE / "delay_proxy.py", "--rtt", rtt, listen, target], log,
                 stdout=subprocess.PIPE, text=True) as proxy:
        address = proxy.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"the delay proxy did not start; see {log}")
        yield address


class Subject:
    """Set up once (serve), mounted freshly for each measurement (mounted)."""

    name = ""

    def __init__(self, work, served, rtt):
        self.work, self.served, self.rtt = pathlib.Path(work) / self.name, served, rtt
        self.work.mkdir()
        self.log = self.work / "log"
        self.directory = self.work / "mount"
        self.directory.mkdir()

    @contextlib.contextmanager
    def serve(self):
        yield

    @contextlib.contextmanager
    def mounted(self):
        raise NotImplementedError

    def calls(self):
        """Requests on the wire since the mount, by method; None where nobody counts."""
        return None


class Native(Subject):
    name = "native"

    @contextlib.contextmanager
    def mounted(self):
        yield self.served


class Mirrorfs(Subject):
    name = "mirrorfs"

    def __init__(self, work, served, rtt, binaries):
        super().__init__(work, served, rtt)
        self._mirrorfs = pathlib.Path(binaries) / "mirrorfs"
        self._agent = pathlib.Path(binaries) / "mirrorfs-agent"
        self._target = f"dir:{served}"

    @contextlib.contextmanager
    def serve(self):
        if not self.rtt:
            yield
            return
        near, far = self.work / "near.sock", self.work / "far.sock"
        with running([self._agent, "--target", f"dir:{self.served}", "--listen", f"unix:{far}", "--rw"],
                     self.log):
            wait_until(far.exists, "the agent's socket")
            with delayed(self.rtt, f"unix:{near}", f"unix:{far}", self.log) as address:
                self._target = address
                yield

    @contextlib.contextmanager
    def mounted(self):
        command = [str(self._mirrorfs), "mount", "--rw", self._target, str(self.directory)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
        try:
            yield self.directory
        finally:
            subprocess.run([str(self._mirrorfs), "umount", str(self.directory)], check=False)
            unmount(self.directory)

    def calls(self):
        result = subprocess.run([str(self._mirrorfs), "stats", str(self.directory), "-o", "json"],
                                capture_output=True, text=True, check=True)
        methods = json.loads(result.stdout)["calls"]
        return {name: count["calls"] for name, count in methods.items()}


class OverSsh(Subject):
    """A peer that speaks SFTP to a private sshd on loopback."""

    @contextlib.contextmanager
    def serve(self):
        for key in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.work / key)], check=True)
        (self.work / "authorized_keys").write_text((self.work / "user_key.pub").read_text())
        port = free_port()
        (self.work / "sshd_config").write_text(SSHD_CONFIG.format(port=port, work=self.work))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # sshd's fixed privilege separation directory
        with running(["/usr/sbin/sshd", "-D", "-e", "-f", self.work / "sshd_config"], self.log):
            wait_until(lambda: answers(port), "sshd")
            with delayed(self.rtt, "127.0.0.1:0", f"127.0.0.1:{port}", self.log) as address:
                self.port = int(address.rsplit(":", 1)[1])
                yield

    @contextlib.contextmanager
    def running_mount(self, command):
        with running(command, self.log) as process:
            wait_until(lambda: is_mounted(self.directory) or process.poll() is not None, f"{self.name}'s mount")
            if process.poll() is not None:
                raise RuntimeError(f"{self.name} did not mount: {self.log.read_text()[-500:]}")
            try:
                self.directory.stat()  # connected
                yield self.directory
            finally:
                unmount(self.directory)
                process.wait(WAIT_SECONDS)


class Sshfs(OverSsh):
    name = "sshfs"

    def mounted(self):
        user = os.environ.get("USER") or "root"
        return self.running_mount([
            "sshfs", "-f", "-p", str(self.port), f"{user}@127.0.0.1:{self.served}", self.directory,
            "-o", f"IdentityFile={self.work}/user_key,StrictHostKeyChecking=no,UserKnownHostsFile=/dev/null,LogLevel=ERROR",
            "-F", "/dev/null"])


class Rclone(OverSsh):
    name = "rclone"

    @contextlib.contextmanager
    def mounted(self):
        user = os.environ.get("USER") or "root"
        cache = self.work / "cache"
        shutil.rmtree(cache, ignore_errors=True)  # else it goes on with what an earlier mount had not sent
        remote = f":sftp,host=127.0.0.1,port={self.port},user={user},key_file='{self.work}/user_key',shell_type=none:"
        with self.running_mount(["rclone", "mount", f"{remote}{self.served}", self.directory, "--config", "/dev/null",
                                 "--cache-dir", cache, "--vfs-cache-mode", "writes"]) as directory:
            yield directory


SSHD_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {work}/host_key
PidFile {work}/sshd.pid
AuthorizedKeysFile {work}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
Subsystem sftp internal-sftp
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
