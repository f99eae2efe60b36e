#!/usr/bin/env python3
"""Files and functions stay small (CONTRIBUTING.md). Prints the largest; fails over the limits.

usage: sizes.py ROOT
"""

import collections
import pathlib
import re
import sys

from sources import code_only, sources

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60

Function = collections.namedtuple("Function", "path line name lines")

_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum)\b(?![^{]*\)\s*(const|noexcept|override|->[^{]*)*$)|\bextern\s*\"\"")
_NAME = re.compile(r"([~\w:]+|operator\s*\S+?)\s*\($|([~\w:]+)\s*\(")
_LAMBDA = re.compile(r"\[[^\[\]]*\]\s*(\([^{}]*\)\s*)?(mutable\s*)?(noexcept\s*)?(->[^{}]*)?$")
_PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)


def functions(path, text):
    """Every function body, found by its braces. A lambda is a function of its own: a list of cases is not one long one."""
    code = _PREPROCESSOR.sub(lambda match: "\n" * match.group(0).count("\n"), code_only(text))
    line, head, head_line, stack = 1, "", None, []
    for char in code:
        if char == "{":
            stack.append(Opening(kind_of(head, stack), head_line or line, head))
            head, head_line = "", None
        elif char == "}" and stack:
            opening = stack.pop()
            if opening.kind in ("function", "lambda"):
                lines = line - opening.line + 1
                yield Function(path, opening.line, name_of(opening), lines - opening.elsewhere)
                enclosing = next((outer for outer in reversed(stack) if outer.kind in ("function", "lambda")), None)
                if enclosing:
                    enclosing.elsewhere += lines - 1
            if opening.kind != "block":
                head, head_line = "", None
        elif char == ";" and not open_parenthesis(head):
            head, head_line = "", None
        else:
            if not char.isspace() and head_line is None:
                head_line = line
            head += char
        line += char == "\n"


class Opening:
    """A brace that is open, and how many of its lines belong to lambdas in it."""

    def __init__(self, kind, line, head):
        self.kind, self.line, self.head, self.elsewhere = kind, line, head, 0


def open_parenthesis(head):
    return head.count("(") > head.count(")")


def kind_of(head, stack):
    if _LAMBDA.search(head):
        return "lambda"
    if any(opening.kind == "function" for opening in stack):
        return "block"
    if _SCOPE.search(head):
        return "scope"
    if "(" in head and not open_parenthesis(head) and "=" not in head.split("(")[0].replace("operator=", ""):
        return "function"
    return "block"  # an initializer


def name_of(opening):
    if opening.kind == "lambda":
        return "lambda"
    match = _NAME.search(opening.head.replace("ABSL_", ""))
    return (match.group(1) or match.group(2)) if match else opening.head.strip()[:40]


def measure(root):
    files, found = [], []
    for path in sources(root):
        text = (pathlib.Path(root) / path).read_text()
        files.append((text.count("\n"), path))
        found += functions(path, text)
    return sorted(files, key=lambda file: -file[0]), sorted(found, key=lambda function: -function.lines)


def main():
    files, found = measure(sys.argv[1] if len(sys.argv) > 1 else ".")
    long_files = [file for file in files if file[0] > MAX_FILE_LINES]
    long_functions = [function for function in found if function.lines > MAX_FUNCTION_LINES]
    lengths = sorted(function.lines for function in found) or [0]
    print(f"{len(files)} files, {len(found)} functions; lines a function: median {lengths[len(lengths) // 2]}, "
          f"90th percentile {lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]}")
    print("The five largest files:")
    for lines, path in files[:5]:
        print(f"  {lines:5} {path}")
    print(f"Functions over {MAX_FUNCTION_LINES} lines: {len(long_functions)}")
    for function in long_functions:
        print(f"  {function.lines:5} {function.path}:{function.line} {function.name}")
    for lines, path in long_files:
        print(f"{path}: {lines} lines, more than {MAX_FILE_LINES}: split it by concern")
    return 1 if long_files or long_functions or not files else 0


if __name__ == "__main__":
    sys.exit(main())
