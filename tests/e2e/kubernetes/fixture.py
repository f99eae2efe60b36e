#!/usr/bin/python3 -B
"""The cluster around a whole run of tests: `fixture.py setup`, `fixture.py cleanup` (tests/e2e/CMakeLists.txt)."""

import os
import subprocess
import sys
import time

import cluster as clusters
import snapshot
import suite


def setup():
    suite.begin_run()
    was_there = clusters.own_directory() is None or os.path.exists(clusters.mark("admin.conf"))
    clusters.Cluster.start_or_reuse()
    if not was_there:
        with open(clusters.mark("started-by-tests"), "w", encoding="utf-8"):
            pass


def assert_nothing_of_ours(cluster):
    """All suites together have left nothing: no agent, and nothing that a test has made."""
    end = time.monotonic() + snapshot.LIMIT
    while found := snapshot.ours(cluster):
        if time.monotonic() > end:
            sys.exit("left in the cluster, which stays to be looked at:\n" + "\n".join(found))
        time.sleep(0.5)
    print(*(f"nothing has the label {label}" for label in snapshot.OURS), sep="\n")


def cleanup():
    directory = clusters.own_directory()
    if directory and not os.path.exists(clusters.mark("admin.conf")):
        print(f"there is no cluster in {directory}")
        return
    if directory and os.path.exists(clusters.mark("kept-for-failed-tests")):
        print(f"the cluster in {directory} is kept for tests that failed; make cluster-down ends it")
        return
    assert_nothing_of_ours(clusters.Cluster.start_or_reuse())
    if directory and os.path.exists(clusters.mark("started-by-tests")) and not os.environ.get("KUBECONFIG"):
        subprocess.run([clusters.PROGRAM, "down", directory], check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    {"setup": setup, "cleanup": cleanup}[sys.argv[1]]()
