#!/usr/bin/env python3
"""Native, mirrorfs, sshfs and rclone side by side in one run. tests/bench/README.md tells how it measures."""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import report
import rows as workloads
import subjects as peers
import trees

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARRIVAL_SECONDS = 30  # how long after a workload its files may take to arrive before that is a failure


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", default=ROOT / "build/release/bin", type=pathlib.Path, help="where mirrorfs was built")
    parser.add_argument("--rounds", type=int, default=0, help="default: 3, with --quick 1")
    parser.add_argument("--rtt", default=os.environ.get("BENCH_RTT", ""), help="a round trip to put in between: 20ms")
    parser.add_argument("--only", default=os.environ.get("BENCH_ONLY", ""), help="rows, with commas")
    parser.add_argument("--subjects", default="native,mirrorfs,sshfs,rclone", help="with commas")
    parser.add_argument("--quick", action="store_true", help="small trees, one round: does everything work?")
    parser.add_argument("--json", type=pathlib.Path, help="also write the measurements there")
    parser.add_argument("--write-docs", action="store_true", help="also put the table into docs/performance.md")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    known = workloads.DISTANT_ROWS if options.rtt else workloads.LOCAL_ROWS
    wanted = options.only.split(",") if options.only else [row.name for row in known]
    unknown = set(wanted) - {row.name for row in known}
    if unknown:
        parser.error(f"no rows {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in known)}")
    options.rows = [row for row in known if row.name in wanted]
    return options


@contextlib.contextmanager
def workspace():
    """A tmpfs, so that no disk is measured; a directory in /dev/shm for ordinary users."""
    base = pathlib.Path(tempfile.mkdtemp(prefix="mirrorfs-bench-", dir=None if os.geteuid() == 0 else "/dev/shm"))
    os.chmod(base, 0o755)
    try:
        if os.geteuid() == 0:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "mirrorfs-bench", str(base)], check=True)
        yield base
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "-l", str(base)], check=False)
        shutil.rmtree(base, ignore_errors=True)


def make_subjects(options, work, served):
    made = []
    for name in options.subjects.split(","):
        kind = {"native": peers.Native, "mirrorfs": peers.Mirrorfs, "sshfs": peers.Sshfs, "rclone": peers.Rclone}[name]
        extra = {"binaries": options.bin} if kind is peers.Mirrorfs else {}
        made.append(kind(work, served, options.rtt, **extra))
    return made


def contents(directory):
    """(files, bytes) below a directory."""
    files = total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(folder, name)).st_size
                files += 1
    return files, total


def difference(before, after):
    return {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}


class Measurement:
    """One row on one subject: prepare, fresh mount, cold, warm, has it arrived."""

    def __init__(self, row, subject, served, local, results, expected):
        self._row, self._subject, self._results = row, subject, results
        self._served, self._local, self._expected = served, local, expected
        self._out = served / "out"

    def run(self):
        shutil.rmtree(self._out, ignore_errors=True)
        self._out.mkdir()
        place = workloads.Place(root=self._served, served=self._served, local=self._local)
        workloads.PREPARE.get(self._row.name, lambda place: None)(place)
        with self._subject.mounted() as root:
            place.root = root
            for repeat in self._results.repeats(self._row):
                if not self._measure(place, repeat):
                    return

    def _measure(self, place, repeat):
        before = self._subject.calls()
        try:
            outcome = self._row.run(place)
        except (RuntimeError, OSError) as error:
            self._results.problem(self._row, repeat, self._subject.name, str(error))
            return False
        self._results.add(self._row, repeat, self._subject.name, outcome)
        if before is not None:
            self._results.calls[self._row.name, repeat] = difference(before, self._subject.calls())
        if self._row.writes:
            outcome.evidence = self._arrived()
        self._compare(repeat, outcome.evidence)
        return True

    def _arrived(self):
        """What lies in the served tree; waits for what was acknowledged but is still under way, and notes that."""
        expected = self._expected.get(self._row.name)
        start = time.monotonic()
        found = contents(self._out)
        while expected is not None and found != expected and time.monotonic() < start + ARRIVAL_SECONDS:
            time.sleep(0.1)
            found = contents(self._out)
        if time.monotonic() - start > 0.1:
            self._results.problem(self._row, "cold", self._subject.name,
                                  "had reported success before the data had arrived")
        return found

    def _compare(self, repeat, evidence):
        expected = self._expected.setdefault(self._row.name, evidence)
        if evidence != expected:
            self._results.problem(self._row, repeat, self._subject.name, f"wrong result: {evidence}, not {expected}")


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def measure_all(options, work):
    sizes = trees.QUICK if options.quick else trees.DISTANT if options.rtt else trees.LOCAL
    served, local = trees.build(work, sizes)
    subjects = make_subjects(options, work, served)
    results = report.Results(options.rows, [subject.name for subject in subjects])
    expected = {}
    with contextlib.ExitStack() as stack:
        for subject in subjects:
            stack.enter_context(subject.serve())
        for round_number in range(options.rounds):
            for row in options.rows:
                for subject in subjects:  # interleaved: what disturbs the machine disturbs all of them
                    progress(f"round {round_number + 1}/{options.rounds}: {row.title}: {subject.name}")
                    Measurement(row, subject, served, local, results, expected).run()
    progress("")
    return results


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    start = time.monotonic()
    with workspace() as work:
        results = measure_all(options, work)
    settings = {"rtt": options.rtt, "rounds": options.rounds, "quick": options.quick,
                "minutes": round((time.monotonic() - start) / 60, 1)}
    if options.quick:
        print("Quick: small trees, whatever the titles say; the figures mean little.")
    print(report.text_table(results))
    methods = report.methods_text(results)
    if methods:
        print(f"\nmirrorfs's calls by method:\n{methods}")
    print(f"\n{settings['minutes']} minutes; {report.machine()}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report.as_json(results, settings), indent=2) + "\n")
    if options.write_docs:
        report.write_docs(ROOT / "docs/performance.md", results, settings)
    failed = [key for key in results.problems if key[2] == "mirrorfs"]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
