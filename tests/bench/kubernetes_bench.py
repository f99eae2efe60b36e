#!/usr/bin/env python3
"""Mounts of a pod over the real tunnel, beside `kubectl cp` and `kubectl exec tar` in the same run: how long attaching
takes in each mode and what it is spent on, small calls, streams, and trees of small files."""

import argparse
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import report
import rows as workloads
import trees
from rows import Outcome, Row

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e/kubernetes"))
import access  # noqa: E402  pylint: disable=wrong-import-position
import cluster as clusters  # noqa: E402  pylint: disable=wrong-import-position

MODES = ("exec", "job", "ephemeral", "shared")  # each has its attach row, and the name of --agent
COLD_NAMES = 200
SERVED = "/srv/bench"  # in the pod

ATTACH = [Row(f"attach-{mode}", f"mount, agent mode {mode}", None, warm=False) for mode in MODES]
ROWS = [
    Row("stat", "stat of a name that is not there", None, unit="µs", warm=False),
    Row("open", "opening a small file", None, unit="µs", warm=False),
    Row("read", "sequential read", None, unit="MB/s", warm=False),
    Row("write", "sequential write, fsync", None, unit="MB/s", warm=False),
    Row("read-exec", "sequential read, agent mode exec", None, unit="MB/s", warm=False),
    Row("write-exec", "sequential write, fsync, agent mode exec", None, unit="MB/s", warm=False),
    Row("tar", "tar 250 files in 5 directories", None, warm=False),
    Row("git-status", "git status, 310 files", None, warm=False),
]
MODE_OF = {"read-exec": "exec", "write-exec": "exec"}  # of rows that are about one


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", default=ROOT / "build/release/bin", type=pathlib.Path)
    parser.add_argument("--image", required=True, type=pathlib.Path, help="the agent's image archive")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", default="job", choices=MODES, help="of all rows but attaching")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--write-docs", action="store_true", help="also put the table into docs/performance.md")
    return parser.parse_args()


class Pod:
    """The pod that is mounted, with the trees in it, and the same trees here."""

    def __init__(self, cluster, options, base):
        self.cluster, self._options, self.base = cluster, options, base
        self.namespace = f"mirrorfs-e2e-{secrets.token_hex(4)}"
        self.here = base / "trees"
        self.local = base / "local"
        self.mountpoint = base / "mount"
        for directory in (self.local, self.mountpoint):
            directory.mkdir()
        trees.build_small(self.here)

    @contextlib.contextmanager
    def running(self):
        self.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
        try:
            for node in self.cluster.nodes():
                self.image = self.cluster.load_image(node, str(self._options.image))
            while self.cluster.run("get", "serviceaccount", "default", "-n", self.namespace).returncode:
                time.sleep(0.1)
            self.cluster.apply(clusters.pod("bench", node="node-2"), namespace=self.namespace)
            self.cluster.wait_running("bench", namespace=self.namespace)
            self._fill()
            with self._shared_agents():
                yield
        finally:
            self.cluster.kubectl("delete", "namespace", self.namespace, "--wait=false")

    @contextlib.contextmanager
    def _shared_agents(self):
        """For the run; and a user whom a token proves, who may use them."""
        os.environ["MIRRORFS_BIN"] = str(self._options.bin)
        from shared_agents import AGENT_RULES, AGENTS, TARGET_RULES, SharedCase, find_helm  # pylint: disable=import-outside-toplevel

        SharedCase.cluster, SharedCase.image, SharedCase.helm_program = self.cluster, self.image, find_helm()
        SharedCase.install()
        try:
            self.user = access.service_account_kubeconfig(self.cluster, self.namespace, "bench", list(TARGET_RULES.values()), self.base)
            access.grant(self.cluster, AGENTS, "bench", list(AGENT_RULES.values()),
                         {"kind": "ServiceAccount", "name": "bench", "namespace": self.namespace})
            yield
        finally:
            SharedCase.uninstall()

    def _fill(self):
        with subprocess.Popen(["tar", "c", "-C", self.here, "."], stdout=subprocess.PIPE) as tar:
            self.run(["exec", "-i", "bench", "--", "sh", "-c", f"mkdir -p {SERVED}/out && tar x -C {SERVED}"], stdin=tar.stdout)

    def run(self, words, **options):
        """kubectl, in the pod's namespace."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        subprocess.run(self.cluster.command("-n", self.namespace, *words), check=True, env=self.cluster.environment(),
                       stderr=subprocess.DEVNULL, timeout=300, **options)

    def environment(self, mode):
        kubeconfig = self.user if mode == "shared" else self.cluster.kubeconfig
        return {**self.cluster.environment(), "KUBECONFIG": kubeconfig, "MIRRORFS_AGENT_IMAGE": self.image,
                "MIRRORFS_KUBECTL": self.cluster.kubectl_program}

    @contextlib.contextmanager
    def mounted(self, mode):
        """Gives the seconds that it took, and those until each step, as --progress json tells them."""
        mirrorfs = str(self._options.bin / "mirrorfs")
        start = time.perf_counter()
        steps = {}
        with subprocess.Popen([mirrorfs, "mount", "--rw", "--agent", mode, "--progress", "json", "-n", self.namespace,
                               "pod/bench", str(self.mountpoint)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True, env=self.environment(mode)) as process:
            said = ""
            for line in process.stderr:
                said += line
                if line.startswith("{"):
                    steps[json.loads(line)["step"]] = time.perf_counter() - start
                elif line.startswith("mirrorfs: pod/"):
                    steps["found"] = time.perf_counter() - start
        if process.returncode:
            raise RuntimeError(said)
        steps["mounted"] = time.perf_counter() - start
        try:
            yield steps
        finally:
            subprocess.run([mirrorfs, "umount", "--lazy", str(self.mountpoint)], check=True)

    def calls(self):
        told = subprocess.run([str(self._options.bin / "mirrorfs"), "stats", str(self.mountpoint), "-o", "json"],
                              check=True, capture_output=True, text=True).stdout
        return {name: count["calls"] for name, count in json.loads(told)["calls"].items()}


class Mount:
    """Each workload on a fresh mount."""

    name = "mirrorfs"

    def place(self, pod):
        return workloads.Place(root=pod.mountpoint / SERVED[1:], served=pod.here, local=pod.local)

    def stat(self, pod):
        names = [str(pod.mountpoint / SERVED[1:] / f"small/part0/unknown{n}") for n in range(COLD_NAMES)]
        start = time.perf_counter()
        for name in names:
            os.path.lexists(name)
        return Outcome(0, value=(time.perf_counter() - start) / COLD_NAMES * 1e6)

    def open(self, pod):
        """A call each: what a round trip costs."""
        files = sorted((pod.mountpoint / SERVED[1:] / "small").rglob("*.txt"))
        start = time.perf_counter()
        for file in files:
            os.close(os.open(file, os.O_RDONLY))
        return Outcome(0, value=(time.perf_counter() - start) / len(files) * 1e6)

    def read(self, pod):
        return workloads.read_stream(self.place(pod))

    def write(self, pod):
        return workloads.write_stream(self.place(pod))

    read_exec, write_exec = read, write

    def tar(self, pod):
        return workloads.tar(self.place(pod))

    def git_status(self, pod):
        return workloads.git_status(self.place(pod))


class Copies:
    """What people do without a mount. `fetch`, `put`: (pod, path in SERVED, path here)."""

    def fetch(self, pod, what, target):
        raise NotImplementedError

    def put(self, pod, source, what):
        raise NotImplementedError

    def _timed(self, work, *arguments):
        start = time.perf_counter()
        work(*arguments)
        return time.perf_counter() - start

    def _fetched(self, pod, what):
        target = pod.local / "fetched"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        seconds = self._timed(self.fetch, pod, what, target)
        return seconds, target

    def read(self, pod):
        seconds, target = self._fetched(pod, "stream.bin")
        size = (target / "stream.bin").stat().st_size
        if size != (pod.here / "stream.bin").stat().st_size:
            raise RuntimeError(f"only {size} bytes arrived")
        return Outcome(seconds, value=size / seconds / 1e6)

    def write(self, pod):
        seconds = self._timed(self.put, pod, pod.here / "stream.bin", "out")
        return Outcome(seconds, value=(pod.here / "stream.bin").stat().st_size / seconds / 1e6)

    def tar(self, pod):
        return Outcome(self._fetched(pod, "small")[0])

    def git_status(self, pod):
        """The repository is fetched, and then asked here."""
        seconds, target = self._fetched(pod, "repository")
        place = workloads.Place(root=target, served=pod.here, local=pod.local)
        return Outcome(seconds + workloads.git_status(place).seconds)


class Cp(Copies):
    name = "kubectl cp"

    def fetch(self, pod, what, target):
        pod.run(["cp", f"bench:{SERVED}/{what}", str(target / what)])

    def put(self, pod, source, what):
        pod.run(["cp", str(source), f"bench:{SERVED}/{what}/{source.name}"])


class ExecTar(Copies):
    name = "kubectl exec tar"

    def fetch(self, pod, what, target):
        with subprocess.Popen(["tar", "x", "-C", str(target)], stdin=subprocess.PIPE) as tar:
            pod.run(["exec", "bench", "--", "tar", "c", "-C", SERVED, what], stdout=tar.stdin)

    def put(self, pod, source, what):
        with subprocess.Popen(["tar", "c", "-C", str(source.parent), source.name], stdout=subprocess.PIPE) as tar:
            pod.run(["exec", "-i", "bench", "--", "tar", "x", "-C", f"{SERVED}/{what}"], stdin=tar.stdout)


SUBJECTS = (Mount(), Cp(), ExecTar())


def attach(pod, results, spent):
    for row, mode in zip(ATTACH, MODES):
        with pod.mounted(mode) as steps:
            results.add(row, "cold", "mirrorfs", Outcome(steps["mounted"]))
            spent.setdefault(mode, []).append(steps)


def measure(pod, row, subject, mode, results):
    work = getattr(subject, row.name.replace("-", "_"), None)
    if work is None:
        return
    try:
        if not isinstance(subject, Mount):
            return results.add(row, "cold", subject.name, work(pod))
        with pod.mounted(MODE_OF.get(row.name, mode)):
            before = pod.calls()
            results.add(row, "cold", subject.name, work(pod))
            after = pod.calls()
            results.calls[row.name, "cold"] = {name: count - before.get(name, 0) for name, count in after.items()
                                               if count != before.get(name, 0)}
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        results.problem(row, "cold", subject.name, str(error)[-200:])


def spent_text(spent):
    """A line for each mode: the seconds from one step to the next, medians."""
    lines = []
    for mode, runs in spent.items():
        names = [name for name in runs[0] if all(name in run for run in runs)]
        parts, before = [], 0.0
        for name in names:
            at = statistics.median(run[name] for run in runs)
            parts.append(f"{name} {max(at - before, 0):.2f}")
            before = at
        lines.append(f"{mode}: {', '.join(parts)}")
    return lines


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    start = time.monotonic()
    results = report.Results(ATTACH + ROWS, [subject.name for subject in SUBJECTS])
    spent = {}
    with tempfile.TemporaryDirectory(prefix="mirrorfs-bench-") as base:
        pod = Pod(clusters.Cluster.start_or_reuse(), options, pathlib.Path(base))
        with pod.running():
            for _ in range(options.rounds):
                attach(pod, results, spent)
                for row in ROWS:
                    for subject in SUBJECTS:
                        measure(pod, row, subject, options.mode, results)
    notes = [f"Attaching, seconds from one step to the next: {line}" for line in spent_text(spent)]
    settings = {"rtt": "", "rounds": options.rounds, "minutes": round((time.monotonic() - start) / 60, 1),
                "part": "kubernetes", "notes": notes,
                "where": f"a cluster of two nodes on the same machine, agent mode {options.mode} but for attaching"}
    print(report.text_table(results), *notes, f"{settings['minutes']} minutes; {report.machine()}", sep="\n")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report.as_json(results, settings) | {"spent": spent}, indent=2) + "\n")
    if options.write_docs:
        report.write_docs(ROOT / "docs/performance.md", results, settings)
    return 1 if any(key[2] == "mirrorfs" for key in results.problems) else 0


if __name__ == "__main__":
    sys.exit(main())
