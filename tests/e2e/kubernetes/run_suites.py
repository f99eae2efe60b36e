#!/usr/bin/python3 -B
"""Runs ctest, and says how many tests each suite had before ctest's own summary. run_suites.py BUILD ARGUMENTS OF CTEST"""

import os
import re
import subprocess
import sys

import suite

SUMMARY = re.compile(r"\d+% tests passed, ")


def main():
    os.environ["MIRRORFS_E2E_RUN"] = os.path.join(os.path.abspath(sys.argv[1]), "kubernetes-run")
    summary = []
    with subprocess.Popen(["ctest", "--test-dir", sys.argv[1], *sys.argv[2:]], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as ctest:
        for line in ctest.stdout:
            if summary or SUMMARY.match(line):
                summary.append(line)
            else:
                print(line, end="", flush=True)
    print(suite.table(), "\n", *summary, sep="", end="")
    return ctest.returncode


if __name__ == "__main__":
    sys.exit(main())
