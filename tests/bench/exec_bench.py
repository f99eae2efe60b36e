#!/usr/bin/env python3
"""Programs inside of `mirrorfs exec` beside the same ones outside, on the served tree itself. README.md tells how."""

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

import bench
import report
import rows as workloads
import trees

LAYER = "bench"
COPIED_MIB = 1024
WRITES = 10_000
CLASSES = 300
SOURCES = 24
# In the view: runs a command, tells how long it took, and waits so that its calls can be counted.
TIMER = ("import subprocess, sys, time\n"
         "start = time.perf_counter()\n"
         "code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode\n"
         "print(time.perf_counter() - start, code, flush=True)\n"
         "sys.stdin.read()\n")


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", default=bench.ROOT / "build/release/bin", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round: does everything work?")
    parser.add_argument("--only", default="", help="rows, with commas")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else [row.name for row in ROWS]
    options.rows = [row for row in ROWS if row.name in wanted]
    options.bin = options.bin.resolve()
    if options.quick:
        options.rounds = 1
    return options


class Place:
    """A container's tree and this side, each with what the rows need. The container's is `srv` in its root."""

    def __init__(self, work):
        self.container, self.local = work / "container", work / "local"
        for directory in (self.container / "srv", self.local):
            directory.mkdir(parents=True)
        self._make_project()
        self._make_jar()
        trees.standard_library(self.container / "srv/stdlib")

    def _make_project(self):
        project = self.local / "project"
        project.mkdir()
        for number in range(SOURCES):
            functions = "".join(f"int f{number}_{i}(int x) {{ char b[64]; snprintf(b, 64, \"%d\", x * {i}); "
                                f"return atoi(b); }}\n" for i in range(120))
            (project / f"part{number}.c").write_text(f"#include <stdio.h>\n#include <stdlib.h>\n{functions}")
        (project / "main.c").write_text("int main(void) { return 0; }\n")
        objects = " ".join(f"part{number}.o" for number in range(SOURCES))
        (project / "Makefile").write_text(f"program: main.o {objects}\n\t$(CC) -o $@ $^\n"
                                          "clean:\n\trm -f *.o program\n")

    def _make_jar(self):
        sources, classes = self.local / "java", self.local / "classes"
        sources.mkdir()
        for number in range(CLASSES):
            (sources / f"C{number}.java").write_text(f"class C{number} {{ int value() {{ return {number}; }} }}\n")
        calls = " + ".join(f"new C{number}().value()" for number in range(CLASSES))
        (sources / "Main.java").write_text("public class Main { public static void main(String[] a) { int sum = "
                                           f"{calls}; if (sum != {sum(range(CLASSES))}) System.exit(1); }} }}\n")
        subprocess.run(["javac", "-d", str(classes), *map(str, sources.glob("*.java"))], check=True)
        (self.container / "srv/app").mkdir()
        subprocess.run(["jar", "cf", str(self.container / "srv/app/app.jar"), "-C", str(classes), "."], check=True)


class Outside:
    name = "native"

    def __init__(self, place):
        self.place = place
        self.srv = place.container / "srv"

    def run(self, command, _options):
        start = time.perf_counter()
        subprocess.run([str(part) for part in command], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start, None


class Inside:
    name = "mirrorfs"

    def __init__(self, place, mirrorfs):
        self.place, self._mirrorfs = place, str(mirrorfs)
        self.srv = pathlib.Path("/srv")

    def start(self, command, options):
        line = [self._mirrorfs, "exec", "--target", f"dir:{self.place.container}", "--layer", LAYER, *options, "--",
                *map(str, command)]
        return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                cwd=self.place.local)

    def run(self, command, options):
        """Start-up is a row of its own: here it does not count."""
        with self.start([sys.executable, "-c", TIMER, *command], options) as child:
            told = child.stdout.readline().split()
            if len(told) != 2 or told[1] != "0":
                child.kill()
                raise RuntimeError(f"{command[0]} in the view: {told} {child.stderr.read()[-300:]}")
            stats = subprocess.run([self._mirrorfs, "stats", f"exec/{child.pid}", "-o", "json"], check=True,
                                   capture_output=True, text=True)
            child.stdin.close()
            child.stdout.read()
        subprocess.run([self._mirrorfs, "discard", LAYER], check=False, capture_output=True)
        calls = json.loads(stats.stdout)["calls"]
        return float(told[0]), {name: count["calls"] for name, count in calls.items()}


def start_up(subject):
    """Until a program that does nothing has ended."""
    if isinstance(subject, Outside):
        return subject.run(["true"], ())
    start = time.perf_counter()
    with subject.start(["true"], ()) as child:
        _, error = child.communicate()
    if child.returncode != 0:
        raise RuntimeError(error)
    return time.perf_counter() - start, None


def compile_project(subject):
    project = subject.place.local / "project"
    subprocess.run(["make", "-s", "-C", str(project), "clean"], check=True)
    return subject.run(["make", "-s", "-j2", "-C", project], ())


def python_imports(subject):
    library = subject.srv / "stdlib"
    program = (f"import sys; sys.path[:] = [{str(library)!r}, {str(library / 'lib-dynload')!r}]\n"
               f"import {', '.join(workloads.MODULES)}\n"
               f"assert argparse.__file__.startswith({str(library)!r})")
    return subject.run(["/usr/bin/python3", "-I", "-S", "-B", "-c", program], ["--read-only", "^/srv/"])


def load_classes(subject):
    return subject.run(["java", "-Xshare:auto", "-cp", subject.srv / "app/app.jar", "Main"], ["--read-only", "^/srv/"])


def copy_up(subject):
    big = subject.srv / "big"
    with open(subject.place.container / "srv/big", "wb") as file:
        for _ in range(COPIED_MIB):
            file.write(os.urandom(4096) * 256)
    change = ["dd", "if=/dev/zero", f"of={big}", "bs=4k", "count=1", "conv=notrunc", "status=none"]
    try:
        if isinstance(subject, Inside):
            return subject.run(change, ())
        copy = subject.place.local / "big"
        return subject.run(["sh", "-c", f"cp {big} {copy} && dd if=/dev/zero of={copy} bs=4k count=1 conv=notrunc"
                                        f" status=none && rm {copy}"], ())
    finally:
        os.unlink(subject.place.container / "srv/big")


def small_writes(subject):
    path = subject.srv / "log"
    program = (f"import os\nfile = os.open({str(path)!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)\n"
               f"for number in range({WRITES}): os.write(file, b'%0100d' % number)\nos.close(file)")
    outcome = subject.run(["/usr/bin/python3", "-c", program], ())
    (subject.place.container / "srv/log").unlink(missing_ok=True)
    return outcome


ROWS = [
    workloads.Row("start-up", "start-up and end of `true`, agent's included", start_up, warm=False),
    workloads.Row("compile", "make -j2, a local project", compile_project, warm=False),
    workloads.Row("exec-python", "python importing 45 modules of the container's", python_imports, warm=False),
    workloads.Row("exec-java", f"java loading {CLASSES} classes of a jar of the container's", load_classes, warm=False),
    workloads.Row("copy-up", "first write to a file of 1 GiB (native: cp)", copy_up, warm=False),
    workloads.Row("small-writes", f"{WRITES:,} small writes to a file in the layer", small_writes, warm=False),
]


def measure(options, place):
    subjects = [Outside(place), Inside(place, options.bin / "mirrorfs")]
    results = report.Results(options.rows, [subject.name for subject in subjects])
    for _ in range(options.rounds):
        for row in options.rows:
            for subject in subjects:
                bench.progress(f"{row.title}: {subject.name}")
                try:
                    seconds, calls = row.run(subject)
                except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                    results.problem(row, "cold", subject.name, str(error))
                    continue
                results.add(row, "cold", subject.name, workloads.Outcome(seconds))
                if calls is not None:
                    results.calls[row.name, "cold"] = calls
    bench.progress("")
    return results


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(bench.workspace())
        state = tempfile.mkdtemp(prefix="mirrorfs-bench-state-", dir="/var/tmp")
        stack.callback(shutil.rmtree, state, ignore_errors=True)
        os.environ["XDG_STATE_HOME"] = state  # layers: on a disk, as a user's are
        results = measure(options, Place(work))
    settings = {"rtt": "", "part": "exec", "rounds": options.rounds}
    print(report.text_table(results))
    print(f"\nmirrorfs's calls by method:\n{report.methods_text(results)}\n\n{report.machine()}")
    if options.json:
        options.json.write_text(json.dumps(report.as_json(results, settings), indent=2) + "\n")
    if options.write_docs:
        report.write_docs(bench.ROOT / "docs/performance.md", results, settings)
    return 1 if any(key[2] == "mirrorfs" for key in results.problems) else 0


if __name__ == "__main__":
    sys.exit(main())
