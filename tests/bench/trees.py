"""The trees that the workloads read: the same bytes in every run (a seeded generator), never changed by a workload."""

import dataclasses
import os
import pathlib
import random
import shutil
import subprocess
import sysconfig

PAST = 1_600_000_000  # older than git's index, so that git trusts it


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large the trees are."""

    many_directories: int
    many_files: int  # a directory
    small_directories: int
    small_files: int
    source_directories: int
    source_files: int
    repository_directories: int
    repository_files: int
    archive_files: int
    copy_directories: int
    copy_files: int
    stream_mib: int
    random_mib: int


LOCAL = Sizes(200, 100, 50, 100, 40, 50, 200, 50, 4000, 40, 50, 512, 1024)
DISTANT = Sizes(20, 1000, 5, 50, 5, 50, 31, 10, 100, 5, 20, 64, 256)
QUICK = Sizes(10, 20, 5, 20, 5, 20, 10, 10, 100, 5, 10, 64, 64)

_WORDS = ("mirror mount inode dentry lookup handle lease agent kernel container overlay whiteout upper lower return "
          "const static void struct if else for while switch include namespace std string vector").split()


def _text(generator, size):
    parts = []
    length = 0
    while length < size:
        line = " ".join(generator.choices(_WORDS, k=10))
        parts.append(line)
        length += len(line) + 1
    return "\n".join(parts) + "\n"


def _tree(root, directories, files, size, suffix, needle=None):
    generator = random.Random(f"{root.name} {directories} {files}")
    for d in range(directories):
        folder = root / f"part{d % 7}" / f"dir{d:04}"
        folder.mkdir(parents=True, exist_ok=True)
        for f in range(files):
            path = folder / f"file{f:04}{suffix}"
            text = _text(generator, generator.randrange(size // 2, size * 3 // 2)) if size else ""
            path.write_text(f"{text}{needle}\n" if needle and f % 10 == 0 else text)
            os.utime(path, (PAST, PAST))


def _repository(root, sizes):
    _tree(root, sizes.repository_directories, sizes.repository_files, 400, ".c")
    git = ["git", "-C", str(root), "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"]
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(git + ["add", "-A"], check=True)
    subprocess.run(git + ["commit", "-q", "-m", "files"], check=True)


def standard_library(target):
    source = sysconfig.get_paths(vars={"base": "/usr", "platbase": "/usr"})["stdlib"]
    source = source if os.path.isdir(source) else sysconfig.get_paths()["stdlib"]
    left_out = shutil.ignore_patterns("test", "tests", "site-packages", "dist-packages", "config-*", "idlelib", "*.a")
    shutil.copytree(source, target, ignore=left_out, symlinks=False)


def _blob(path, mib):
    block = random.Random(path.name).randbytes(1 << 20)
    with open(path, "wb") as out:
        for _ in range(mib):
            out.write(block)


def build_small(base):
    """What goes into a pod: 250 small files in 5 directories, a repository of 310, a stream."""
    base = pathlib.Path(base)
    _tree(base / "small", DISTANT.small_directories, DISTANT.small_files, 2048, ".txt")
    _repository(base / "repository", DISTANT)
    _blob(base / "stream.bin", DISTANT.stream_mib)
    return base


def build(base, sizes):
    """Builds everything below base: `served` is what is mounted, `local` stays on this side."""
    served, local = pathlib.Path(base) / "served", pathlib.Path(base) / "local"
    local.mkdir(parents=True)
    served.mkdir()
    _tree(served / "many", sizes.many_directories, sizes.many_files, 0, "")
    _tree(served / "small", sizes.small_directories, sizes.small_files, 2048, ".txt")
    _tree(served / "source", sizes.source_directories, sizes.source_files, 6000, ".cc", "needle")
    _tree(served / "copy", sizes.copy_directories, sizes.copy_files, 2048, ".txt")
    _repository(served / "repository", sizes)
    shutil.copy2(served / "repository/.git/index", local / "index")
    standard_library(served / "stdlib")
    _blob(served / "stream.bin", sizes.stream_mib)
    _blob(served / "random.bin", sizes.random_mib)
    _tree(local / "unpacked", 1 + sizes.archive_files // 101, 100, 2048, ".txt")
    paths = sorted(path for path in (local / "unpacked").rglob("*.txt"))[: sizes.archive_files]
    names = "\n".join(str(path.relative_to(local / "unpacked")) for path in paths)
    subprocess.run(["tar", "cf", str(local / "archive.tar"), "-C", str(local / "unpacked"), "-T", "-"],
                   input=names.encode(), check=True)
    shutil.rmtree(local / "unpacked")
    return served, local
