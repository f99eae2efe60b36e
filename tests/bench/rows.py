"""The workloads. Each is a command on a mounted tree, and a check that it did its work."""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import time

MODULES = ("argparse ast asyncio base64 bisect calendar cmd code codecs configparser contextlib copy csv dataclasses "
           "datetime decimal difflib dis email.message enum fractions ftplib getopt gettext glob gzip heapq html.parser "
           "http.client inspect json logging mailbox optparse pathlib pickle pprint queue smtplib statistics tarfile "
           "tempfile unittest xml.dom.minidom zipfile").split()


@dataclasses.dataclass
class Place:
    """Where a workload runs."""

    root: pathlib.Path    # the tree: a mount, or the served tree itself
    served: pathlib.Path  # the same tree, natively: what has really arrived there
    local: pathlib.Path   # this side
    out: str = "out"      # the folder below both that a workload may write


@dataclasses.dataclass
class Outcome:
    seconds: float
    value: float | None = None   # MB/s or operations per second
    evidence: object = None      # must be the same for every subject


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    run: object            # Place -> Outcome
    unit: str = "s"        # s: less is better; MB/s, IOPS: more is better
    writes: bool = False   # what has arrived is checked
    warm: bool = True      # repeated on the same mount


def _environment(place):
    keep = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(place.local)}
    return keep | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
                   "GIT_CONFIG_VALUE_0": "*"}


def timed(place, command, cwd=None):
    """Runs the command with its output in a file of this side; returns the seconds and that file."""
    output = place.local / "output"
    with open(output, "wb") as out:
        start = time.perf_counter()
        result = subprocess.run([str(part) for part in command], stdout=out, stderr=subprocess.PIPE, check=False,
                                stdin=subprocess.DEVNULL, env=_environment(place), cwd=cwd or place.local)
        seconds = time.perf_counter() - start
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {result.returncode}: {result.stderr.decode()[-300:]}")
    return seconds, output


def _lines(place, command, cwd=None):
    seconds, output = timed(place, command, cwd)
    return Outcome(seconds, evidence=output.read_bytes().count(b"\n"))


def find(place):
    return _lines(place, ["find", place.root / "many"])


def list_all(place):
    return _lines(place, ["ls", "-lR", place.root / "many"])


def tar(place):
    seconds, output = timed(place, ["tar", "cf", "-", "-C", place.root, "small"])
    return Outcome(seconds, evidence=output.stat().st_size)


def grep(place):
    return _lines(place, ["grep", "-r", "needle", "."], cwd=place.root / "source")


def git_status(place):
    return _lines(place, ["git", "-C", place.root / "repository", "status", "--porcelain"])


def prepare_git(place):
    """Each subject finds the index as git made it: an earlier status may have rewritten it."""
    shutil.copy2(place.local / "index", place.served / "repository/.git/index")


def python_imports(place):
    library = place.root / "stdlib"
    program = (f"import sys; sys.path[:] = [{str(library)!r}, {str(library / 'lib-dynload')!r}]\n"
               f"import {', '.join(MODULES)}\n"
               f"print(all(m.__file__.startswith({str(library)!r}) for m in (argparse, zipfile, decimal)))")
    seconds, output = timed(place, ["/usr/bin/python3", "-I", "-S", "-B", "-c", program])
    return Outcome(seconds, evidence=output.read_text().strip())


def untar(place):
    seconds, _ = timed(place, ["tar", "xf", place.local / "archive.tar", "-C", place.root / place.out])
    return Outcome(seconds)


def copy_tree(place):
    seconds, _ = timed(place, ["cp", "-r", place.root / "copy", place.root / place.out])
    return Outcome(seconds)


def remove_tree(place):
    seconds, _ = timed(place, ["rm", "-rf", place.root / place.out / "unpacked"])
    return Outcome(seconds)


def prepare_removal(place):
    """What rm removes is there before the mount is."""
    target = place.served / place.out / "unpacked"
    target.mkdir()
    subprocess.run(["tar", "xf", place.local / "archive.tar", "-C", target], check=True)


def read_stream(place):
    return _stream(place, ["dd", f"if={place.root / 'stream.bin'}", "of=/dev/null", "bs=1M"],
                   (place.served / "stream.bin").stat().st_size)


def write_stream(place):
    size = (place.served / "stream.bin").stat().st_size
    return _stream(place, ["dd", "if=/dev/zero", f"of={place.root / place.out / 'stream'}", "bs=1M",
                           f"count={size >> 20}", "conv=fsync"], size)


def _stream(place, command, size):
    seconds, _ = timed(place, command + ["status=none"])
    return Outcome(seconds, value=size / seconds / 1e6)


def random_reads(jobs):
    def run(place):
        seconds, output = timed(place, [
            "fio", "--name=random", f"--filename={place.root / 'random.bin'}", "--rw=randread", "--bs=4k",
            f"--numjobs={jobs}", "--thread", "--group_reporting", "--runtime=3", "--time_based", "--ioengine=psync",
            "--readonly", "--randrepeat=0", "--output-format=json"])
        report = json.loads(output.read_text())["jobs"][0]
        if report["error"]:
            raise RuntimeError(f"fio reports error {report['error']}")
        return Outcome(seconds, value=report["read"]["iops"])

    return run


PREPARE = {"git-status": prepare_git, "rm": prepare_removal}

LOCAL_ROWS = [
    Row("find", "find, 20,000 files", find),
    Row("ls-lR", "ls -lR of them", list_all),
    Row("tar", "tar of 5,000 small files", tar),
    Row("grep", "grep -r, 2,000 source files", grep),
    Row("git-status", "git status, 10,000 files", git_status),
    Row("python", "python importing 45 modules", python_imports),
    Row("untar", "untar 4,000 files", untar, writes=True, warm=False),
    Row("cp-r", "cp -r 2,000 files", copy_tree, writes=True, warm=False),
    Row("read", "sequential read", read_stream, unit="MB/s"),
    Row("write", "sequential write, fsync", write_stream, unit="MB/s", writes=True, warm=False),
    Row("random-1", "random 4 KiB reads, 1 job", random_reads(1), unit="IOPS", warm=False),
    Row("random-16", "random 4 KiB reads, 16 jobs", random_reads(16), unit="IOPS", warm=False),
]

DISTANT_ROWS = [
    Row("find", "find, 20,000 files", find),
    Row("ls-lR", "ls -lR of them", list_all),
    Row("tar", "tar 250 files in 5 directories", tar),
    Row("python", "python importing 45 modules", python_imports),
    Row("git-status", "git status, 310 files", git_status),
    Row("read", "read 64 MiB", read_stream),
    Row("write", "write 64 MiB, fsync", write_stream, writes=True, warm=False),
    Row("untar", "untar 100 files", untar, writes=True, warm=False),
    Row("rm", "rm -rf of 100 files", remove_tree, writes=True, warm=False),
]
