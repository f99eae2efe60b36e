#!/usr/bin/python3
"""Runs container_killed_test on a lab."""
import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lab"))
from lab_case import Lab  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--kills", default="50")
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    lab = Lab("docker")
    try:
        environment = {**os.environ, "LAB_DIR": lab.LAB_DIR, "LAB_DOCKER_SOCKET": lab.LAB_DOCKER_SOCKET,
                       "KILLS": arguments.kills, "SEED": arguments.seed}
        return subprocess.run([arguments.program], env=environment, check=False).returncode
    finally:
        lab.down()


if __name__ == "__main__":
    sys.exit(main())
