"""Agents in pods, mounted: the probe (tests/agentmodes/pod_agent_probe.cc) is the tunnel, and serves at a socket that
`mirrorfs mount` is given."""

import contextlib
import hashlib
import json
import os
import queue
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import yaml

import access
import suite
from cluster import BUSYBOX, DISTROLESS, ClusterCase

BIN = os.environ.get("MIRRORFS_BIN", "")
IMAGE_ARCHIVE = os.environ.get("AGENT_IMAGE_ARCHIVE", "")
GIVEN_IMAGE = os.environ.get("MIRRORFS_E2E_AGENT_IMAGE", "")
LIMIT = 120

ROLES = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../../docs/roles")


def roles_of(name):
    """The least that something needs, of each document of docs/roles/NAME.yaml: rules by the last word of the resource
    ("pods", "log"). The tests take every rule away once."""
    with open(os.path.join(ROLES, f"{name}.yaml"), encoding="utf-8") as file:
        roles = list(yaml.safe_load_all(file))
    return [{rule["resources"][0].split("/")[-1]: rule for rule in role["rules"]} for role in roles]


NUMBERS = {"CHOWN": 0, "DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2, "FOWNER": 3, "FSETID": 4, "SETGID": 6, "SETUID": 7,
           "SYS_PTRACE": 19, "MKNOD": 27, "SETFCAP": 31}   # linux/capability.h


def documented_capabilities():
    """What docs/security.md says that an agent holds, by mode: masks of the permitted and of the effective ones."""
    found, permitted = {}, 0
    with open(os.path.join(ROLES, "../security.md"), encoding="utf-8") as file:
        for line in file:
            mode, *cells = (cell.strip() for cell in line.strip().strip("|").split("|"))
            if mode in ("read-only", "`--rw`"):
                held, lowered = (sum(1 << NUMBERS[name] for name in re.findall("[A-Z_]{5,}", cell)) for cell in cells)
                permitted |= held
                found[mode.strip("`")] = (permitted, permitted & ~lowered)
    return found


CAPABILITIES = documented_capabilities()

(JOB_RULES,), (EPHEMERAL_RULES,), (EXEC_RULES,) = (roles_of(mode) for mode in ("job", "ephemeral", "exec"))
WORKLOAD_RULES, NODE_RULES = roles_of("workloads")
RESOLVE = {"pods": JOB_RULES["pods"]}


def in_own_mount_namespace():
    """Mounts of a test are its own, and go with it."""
    if os.environ.get("MIRRORFS_TEST_UNSHARED") != "y":
        words = ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv]
        os.execvpe(words[0], words, {**os.environ, "MIRRORFS_TEST_UNSHARED": "y"})


class Probe:
    """An agent that is being had. `said`: all lines so far."""

    def __init__(self, case, mode, pod, *flags, kubeconfig=None, image=None):
        self.case = case
        self.directory = tempfile.mkdtemp(dir=case.scratch)
        self.socket = os.path.join(self.directory, "agent.sock")
        self.token = os.path.join(self.directory, "token")
        environment = {**case.cluster.environment(), "KUBECONFIG": kubeconfig or case.cluster.kubeconfig,
                       "MIRRORFS_KUBECTL": case.cluster.kubectl_program}
        self.process = subprocess.Popen(
            [os.path.join(BIN, "pod_agent_probe"), mode, case.namespace, pod, self.socket, self.token,
             "--agent-image", image or case.image, *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        case.addCleanup(self.end)
        self.said = []
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def wait_for(self, begin):
        """The rest of the first line that begins so; what else is said comes into `said`."""
        end = time.monotonic() + LIMIT
        while True:
            line = self.lines.get(timeout=max(end - time.monotonic(), 0.1))
            if line is None:
                self.case.fail(f"the agent's probe has ended without '{begin}': {self.said}")
            self.said.append(line)
            if line.startswith(begin):
                return line[len(begin):].strip()

    def ready(self):
        self.wait_for("ready")
        return self

    def failure(self):
        return self.wait_for("failed ")

    def end(self):
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

    def kill(self):
        self.process.kill()
        self.process.wait()


class AgentCase(ClusterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.image = GIVEN_IMAGE
        if not cls.image and not cls.cluster.directory:
            raise unittest.SkipTest("the nodes are not ours: MIRRORFS_E2E_AGENT_IMAGE has to name an image of the agent")
        for node in [] if cls.image else cls.cluster.nodes():
            cls.image = cls.cluster.load_image(node, IMAGE_ARCHIVE)

    def setUp(self):
        super().setUp()
        scratch = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name
        self.nonce = secrets.token_hex(16)

    def target(self, name="web", node="node-2", **options):
        """A pod with a file that has this test's nonce in it."""
        self.run_pod(name, node=node, **options)
        self.kubectl("exec", name, "--", "sh", "-c", f"echo {self.nonce} > /nonce; chmod 600 /nonce")
        return name

    def bare_target(self, name="bare"):
        """A pod of one program and no shell; its nonce is in a volume, where a container that ran before has put it."""
        volume = [{"name": "given", "mountPath": "/given"}]
        writes = {"name": "writes", "image": BUSYBOX, "command": ["sh", "-c", f"echo {self.nonce} > /given/nonce"],
                  "volumeMounts": volume}
        self.run_pod(name, DISTROLESS, node="node-1", initContainers=[writes], container={"volumeMounts": volume},
                     volumes=[{"name": "given", "emptyDir": {}}])
        return name

    def mount(self, probe, *words):
        """Where the agent's target is mounted."""
        mountpoint = os.path.join(self.scratch, "mnt-" + secrets.token_hex(4))
        os.mkdir(mountpoint)
        self.mirrorfs("mount", f"unix:{probe.socket}", mountpoint, "--token-file", probe.token, *words)
        self.addCleanup(self.mirrorfs, "umount", "--lazy", mountpoint, check=False)
        return mountpoint

    def mirrorfs(self, *words, check=True, environment=None):
        result = subprocess.run([os.path.join(BIN, "mirrorfs"), *words], stdin=subprocess.DEVNULL, capture_output=True,
                                text=True, timeout=LIMIT, check=False, env={**os.environ, **(environment or {})})
        if check and result.returncode:
            self.fail(f"mirrorfs {' '.join(words)}: {result.stderr}")
        return result

    def as_user(self, kubeconfig=None):
        """The environment of somebody who uses the cluster."""
        return {**self.cluster.environment(), "KUBECONFIG": kubeconfig or self.cluster.kubeconfig,
                "MIRRORFS_KUBECTL": self.cluster.kubectl_program, "MIRRORFS_AGENT_IMAGE": self.image}

    def mount_pod(self, *words, check=True, kubeconfig=None, **variables):
        """What `mirrorfs mount pod/web` said, and where it is mounted."""
        mountpoint = os.path.join(self.scratch, "mnt-" + secrets.token_hex(4))
        os.mkdir(mountpoint)
        result = self.mirrorfs("mount", "-n", self.namespace, *words, "pod/web", mountpoint, check=check,
                               environment={**self.as_user(kubeconfig), **variables})
        if result.returncode == 0:
            self.addCleanup(self.mirrorfs, "umount", "--lazy", mountpoint, check=False)
        return result, mountpoint

    def state_of(self, mountpoint):
        mounts = json.loads(self.mirrorfs("status", "-o", "json").stdout)
        return next(mount for mount in mounts if mount["mountpoint"] == mountpoint)

    def check_reading_writing_running(self, mode):
        """The whole way, by the command alone."""
        self.target(container={"env": [{"name": "NONCE", "value": self.nonce}]})
        result, mountpoint = self.mount_pod("--agent", mode, "--rw", "--progress", "json")
        steps = [json.loads(line)["step"] for line in result.stderr.splitlines()]  # no line is anything else
        for step in ("target", "created", "scheduled", "started", "attached"):
            self.assertIn(step, steps)
        self.assert_reads_nonce(mountpoint)
        with open(os.path.join(mountpoint, "made"), "w", encoding="utf-8") as file:
            file.write(self.nonce)
        self.assertEqual(self.kubectl("exec", "web", "--", "cat", "/made"), self.nonce)
        self.mirrorfs("umount", mountpoint)
        ran = self.mirrorfs("exec", "--agent", mode, "-n", self.namespace, "--target", "pod/web", "--env=NONCE", "--", "sh", "-c",
                            "cat /nonce; echo $NONCE", environment=self.as_user())
        self.assertEqual(ran.stdout, f"{self.nonce}\n{self.nonce}\n")
        read = self.mirrorfs("cat", "--agent", mode, "-n", self.namespace, "pod/web:/nonce", environment=self.as_user())
        self.assertEqual(read.stdout.strip(), self.nonce)
        self.wait_no_agents()

    # --- What the agent's threads hold

    def tree(self):
        """Some thousand files in /many of the target, and one of 100 MB; /copy is empty."""
        self.kubectl("exec", "web", "--", "sh", "-c",
                     "mkdir /many /copy; for i in $(seq 2000); do echo $i > /many/$i; done; head -c 100000000 /dev/urandom > /many/big")

    def agent_process(self, node, word):
        """The process id of the agent on a node that has this in its command line."""
        find = ('cd /proc; for file in $(grep -laFe "$1" [0-9]*/cmdline 2>/dev/null); do '
                '[ "$(cat ${file%cmdline}comm)" != mirrorfs-agent ] || echo ${file%/cmdline}; done')
        (pid,) = self.cluster.node_exec(node, "sh", "-c", find, "sh", word).split()
        return pid

    def threads(self, node, pid):
        """The status of each thread of a process: dictionaries of texts."""
        text = self.cluster.node_exec(node, "sh", "-c", f"cat /proc/{pid}/task/*/status 2>/dev/null || true")
        return [dict(line.split(":\t", 1) for line in status.splitlines())
                for status in re.split("^(?=Name:)", text, flags=re.MULTILINE) if "Seccomp:" in status]

    def check_threads(self, node, processes, mountpoint, read_write):
        """Each thread of the processes holds what is documented, while the mount (of a target with `tree`) is read and, if
        that is so, written. `processes`: permitted, effective and bounding capabilities, as masks, by process id."""
        load = f"tar -C {mountpoint} -cf - many | " + (f"tar -C {mountpoint}/copy -xf -" if read_write else "cat")
        seen = {pid: [] for pid in processes}
        with subprocess.Popen(["sh", "-c", load], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                for pid in processes:
                    seen[pid].append(self.threads(node, pid))
        self.assertEqual(process.returncode, 0)
        for pid, (permitted, effective, bounding) in processes.items():
            self.assertGreater(len(seen[pid]), 1, "the load was over too soon")
            self.assertGreater(max(len(sample) for sample in seen[pid]), 3)
            self.check_privileges([thread for sample in seen[pid] for thread in sample], permitted, effective, bounding)

    def check_privileges(self, threads, permitted, effective, bounding):
        expected = {"CapInh": 0, "CapPrm": permitted, "CapBnd": bounding, "CapAmb": 0, "NoNewPrivs": 1, "Seccomp": 2}
        for thread in threads:
            self.assertEqual({field: int(thread[field], 16) for field in expected}, expected, thread["Name"])
            # A worker has the container's rights while it does a call, and at most its own.
            self.assertEqual(int(thread["CapEff"], 16) & ~(permitted if effective else 0), 0, thread["Name"])
            if thread["Pid"] == thread["Tgid"]:
                self.assertEqual(int(thread["CapEff"], 16), effective)

    def check_threads_of_pod(self, mode):
        """Of an agent in a pod, which has no other capabilities to begin with."""
        self.target()
        self.tree()
        for words, documented in (((), "read-only"), (("--rw",), "--rw")):
            with self.subTest(documented):
                probe = Probe(self, mode, "web", *words).ready()
                pid = self.agent_process("node-2", hashlib.sha256(self.read(probe.token).encode()).hexdigest())
                permitted, effective = CAPABILITIES[documented]
                self.check_threads("node-2", {pid: (permitted, effective, permitted)}, self.mount(probe, *words), bool(words))

    def read(self, *path):
        with open(os.path.join(*path), encoding="utf-8") as file:
            return file.read().strip()

    def assert_reads_nonce(self, mountpoint):
        self.assertEqual(self.read(mountpoint, "nonce"), self.nonce)

    def account(self, rules):
        """A kubeconfig of somebody who may do just that."""
        return access.service_account_kubeconfig(self.cluster, self.namespace, "user-" + secrets.token_hex(3),
                                                 list(rules.values()), self.scratch)

    def jobs(self):
        return [job["metadata"]["name"] for job in self.cluster.get("jobs", "-n", self.namespace)["items"]]

    def wait_no_agents(self):
        self.wait_for(lambda: not self.jobs(), "the end of the agent's job")
        self.wait_for(lambda: not self.cluster.get("pods", "-n", self.namespace, "-l",
                                                   "app.kubernetes.io/managed-by=mirrorfs")["items"], "its pod's end")

    def agent_pod(self):
        pods = self.cluster.get("pods", "-n", self.namespace, "-l", "app.kubernetes.io/managed-by=mirrorfs")["items"]
        self.assertEqual(len(pods), 1)
        return pods[0]


def run_tests(**options):
    """The program's tests, in a mount namespace of their own."""
    in_own_mount_namespace()
    suite.run(**options)
