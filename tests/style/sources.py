"""The C++ sources of the repository, and their text without comments and literals."""

import pathlib
import re

PRODUCT_FOLDERS = ("protos", "agent", "fusefs", "launcher")
FOLDERS = PRODUCT_FOLDERS + ("tests",)

_COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.S,
)


def sources(root, folders=FOLDERS):
    """Paths relative to root, sorted."""
    root = pathlib.Path(root)
    found = []
    for folder in folders:
        for suffix in ("*.cc", "*.h"):
            found += [path.relative_to(root) for path in (root / folder).rglob(suffix)]
    return sorted(found)


def code_only(text):
    """The text with comments and literals blanked; line breaks stay where they were."""

    def blank(match):
        lines = "\n" * match.group(0).count("\n")
        return lines if match.group(0).startswith("/") else '""' + lines

    return _COMMENT_OR_LITERAL.sub(blank, text)
