#!/usr/bin/env python3
"""What the documentation names exists: relative links, and files of this repository in `backquotes`.

usage: doc_links.py ROOT
"""

import pathlib
import re
import sys

from sources import FOLDERS

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED_FILE = re.compile(r"`((?:%s|docs)/[\w./{},*-]+)`" % "|".join(FOLDERS))


def documents(root):
    return sorted(path for path in [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("tests/**/*.md")])


def expanded(name):
    """`a/{b,c}` is two names."""
    match = re.search(r"\{([^{}]*)\}", name)
    if not match:
        return [name]
    return [whole for part in match.group(1).split(",")
            for whole in expanded(name[:match.start()] + part + name[match.end():])]


def problems(root):
    for document in documents(root):
        text = document.read_text()
        shown = document.relative_to(root)
        for target in LINK.findall(text):
            if "://" not in target and not (document.parent / target).exists():
                yield f"{shown}: links to {target}, which does not exist"
        for named in NAMED_FILE.findall(text):
            for name in expanded(named):
                if not list(root.glob(name.rstrip("/"))):
                    yield f"{shown}: names {name}, which does not exist"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    checked = len(documents(root))
    found = list(problems(root))
    for problem in found:
        print(problem)
    print(f"documentation: {checked} files, {len(found)} problems")
    return 1 if found or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
