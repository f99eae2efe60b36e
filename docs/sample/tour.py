#!/usr/bin/python3 -B
"""Runs the commands of a document, word for word and in one shell, and compares what they print.

tour.py README.md          prints a capture: each command with what it has said
The environment is the caller's: KUBECONFIG, and PATH with mirrorfs and kubectl.

In blocks that begin with ```console, lines that begin with "$ " are commands, and the lines after one are what it prints:
`…` stands for any text, and alone in a line for any lines. Whether a command succeeds is not told: what it says is.
"""

import dataclasses
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
ANYTHING = "…"


@dataclasses.dataclass
class Step:
    line: int
    command: str
    expected: list


def steps_of(path):
    """The commands of a document, in order."""
    steps = []
    inside = False
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file.read().splitlines(), 1):
            if line.startswith("```"):
                inside = line == "```console"
            elif inside and line.startswith("$ "):
                steps.append(Step(number, line[2:], []))
            elif inside:
                steps[-1].expected.append(line)
    return steps


def pattern_of(expected):
    """Matches what a command prints, with its last newline."""
    parts = []
    for line in expected:
        if line == ANYTHING:
            parts.append(r"(.*\n)*?")
        else:
            parts.append(".*".join(re.escape(part) for part in line.split(ANYTHING)) + r"\n")
    return re.compile("".join(parts))


class Shell:
    """One shell for all commands: variables and directories stay. Nothing else is done for them."""

    def __init__(self, environment):
        self._shell = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment)

    def run(self, command):
        """What it has printed, both streams."""
        end = secrets.token_hex(8)
        self._shell.stdin.write(f"{{ {command}\n}} < /dev/null\necho {end}\n")
        self._shell.stdin.flush()
        text = ""
        for line in self._shell.stdout:
            if line.endswith(end + "\n"):
                return text + line[:-len(end) - 1]
            text += line
        raise AssertionError(f"the shell has ended: {command}\n{text}")

    def close(self):
        self._shell.stdin.close()
        self._shell.wait()
        self._shell.stdout.close()


def walk(path, environment, told):
    """Runs all of it; told(step, text) after each. Returns the steps whose text is not as the document says."""
    place = tempfile.mkdtemp(prefix="mirrorfs-tour-")
    shell = Shell({**environment, "TOUR": place, "LC_ALL": "C.UTF-8"})
    wrong = []
    try:
        for step in steps_of(path):
            text = shell.run(step.command)
            told(step, text)
            if not pattern_of(step.expected).fullmatch(text):
                wrong.append((step, text))
    finally:
        shell.close()
        remote = os.path.join(place, "remote")
        if os.path.ismount(remote):  # a step has gone wrong
            subprocess.run(["mirrorfs", "umount", "--lazy", remote], env=environment, check=False)
        shutil.rmtree(place)
    return wrong


def main():
    wrong = walk(sys.argv[1], dict(os.environ), lambda step, text: print(f"$ {step.command}\n{text}", end="", flush=True))
    for step, _ in wrong:
        print(f"{sys.argv[1]}:{step.line}: it says something else than the document: {step.command}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
