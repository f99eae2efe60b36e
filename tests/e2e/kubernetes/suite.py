"""One suite, from begin to end: its tests, what they have left behind, and how many there were.

Each suite ends with `suite.run()`. ctest gives it a directory for the run (MIRRORFS_E2E_RUN): there lie the counts, and what
the cluster was before the suite's first try, with which a second one is compared as well: a leak cannot pass by being
there already.
"""

import json
import os
import shutil
import sys
import time
import unittest

import cluster as clusters
import snapshot

SKIPPED = 77  # the exit code of a suite of which nothing could be run (SKIP_RETURN_CODE in tests/e2e/CMakeLists.txt)


class CountingResult(unittest.TextTestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def counts(result, total):
    """Of tests; one that was not run, because its class could not begin, counts as its class."""
    def tests(entries):
        found = {getattr(test, "test_case", test) for test, *_ in entries}  # a subtest is its test's
        whole = {test for test in found if isinstance(test, unittest.TestCase)}
        return whole, len(found - whole)

    failed, failed_classes = tests(result.failures + result.errors)
    skipped, _ = tests(result.skipped)
    skipped -= failed
    not_run = total - result.passed - len(failed) - len(skipped)
    if failed_classes:
        return {"passed": result.passed, "failed": len(failed) + max(not_run, failed_classes), "skipped": len(skipped)}
    return {"passed": result.passed, "failed": len(failed), "skipped": len(skipped) + not_run}


class Record:
    """What is known of a suite's tries in this run of ctest; nothing is kept where there is no such run."""

    def __init__(self, name):
        directory = run_directory()
        self._file = directory and os.path.join(directory, f"{name}.json")
        self._before = directory and os.path.join(directory, f"{name}.before")
        if directory:
            os.makedirs(directory, exist_ok=True)
        self.tries = read_json(self._file) or []

    def begin(self):
        self.tries.append({})
        self._write()

    def end(self, **facts):
        self.tries[-1] = facts
        self._write()

    def _write(self):
        write_json(self._file, self.tries)

    def before(self, cluster, look):
        """The cluster's state before the first try."""
        known = read_json(self._before)
        if known is None:
            known = snapshot.settled(cluster, look)
            write_json(self._before, known)
        return known


def read_json(path):
    if not path or not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_json(path, content):
    if path:
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(path + ".part", path)


def run_directory():
    """Of this run of ctest on this cluster; None without one."""
    base = os.environ.get("MIRRORFS_E2E_RUN")
    place = clusters.own_directory() or os.environ["KUBECONFIG"]
    return base and os.path.join(base, os.path.abspath(place).strip("/").replace("/", "-"))


def begin_run():
    directory = run_directory()
    if directory:
        shutil.rmtree(directory, ignore_errors=True)


def run(look=snapshot.take):
    """The program's tests; the cluster must be afterwards what it was before, as far as one looks."""
    record = Record(os.path.basename(sys.argv[0]).removesuffix(".py").removesuffix("_test"))
    record.begin()
    begun = time.monotonic()
    before = record.before(clusters.Cluster.start_or_reuse(), look)
    runner = unittest.TextTestRunner(verbosity=2, resultclass=CountingResult)
    program = unittest.main(verbosity=2, exit=False, testRunner=runner)
    result = program.result
    kept = bool(clusters.kept) or any(each.get("kept") for each in record.tries)
    left = [] if kept else snapshot.leftovers(clusters.Cluster.start_or_reuse(), before, look)
    if left:
        print("\nafter the tests:", *left, sep="\n", file=sys.stderr)
    found = counts(result, program.test.countTestCases())
    record.end(**found, left=len(left), kept=kept, seconds=round(time.monotonic() - begun))
    if left or not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if found["skipped"] and not found["passed"] else 0)


COLUMNS = ("suite", "passed", "failed", "skipped", "left behind", "tries", "seconds")


def table():
    """Of all suites of this run, as they were at their last try."""
    directory = run_directory()
    names = sorted(os.listdir(directory)) if directory and os.path.isdir(directory) else []
    rows, total = [], {}
    for name in (name for name in names if name.endswith(".json")):
        tries = read_json(os.path.join(directory, name))
        last = tries[-1]
        cells = [last.get(key, "-") for key in ("passed", "failed", "skipped", "left", "seconds")]
        rows.append([name.removesuffix(".json"), *cells[:4], len(tries), cells[4] if last else "did not end"])
        for key in ("passed", "failed", "skipped", "left", "seconds"):
            total[key] = total.get(key, 0) + last.get(key, 0)
    if not rows:
        return "no suite was run\n"
    rows.append(["all", *(total[key] for key in ("passed", "failed", "skipped", "left")), "", total["seconds"]])
    lines = [COLUMNS, *rows]
    widths = [max(len(str(line[column])) for line in lines) for column in range(len(COLUMNS))]

    def shown(line):
        numbers = (str(cell).rjust(width) for cell, width in zip(line[1:], widths[1:]))
        return "  ".join([str(line[0]).ljust(widths[0]), *numbers]).rstrip() + "\n"
    return "".join(shown(line) for line in lines)
