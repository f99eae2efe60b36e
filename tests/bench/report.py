"""Turns measurements into the table, the JSON and docs/performance.md."""

import collections
import datetime
import os
import pathlib
import platform
import statistics

DOCS_BEGIN = "<!-- written by `make bench BENCH_ARGS=--write-docs`: {name} -->"
DOCS_END = "<!-- end: {name} -->"


class Results:
    """Measurements by (row, repeat, subject), where repeat is cold or warm."""

    def __init__(self, rows, subjects):
        self.rows, self.subjects = rows, subjects
        self.values = collections.defaultdict(list)  # seconds, or the row's value
        self.calls = {}                              # (row, repeat): {method: calls} of the last round
        self.problems = collections.defaultdict(set)

    def add(self, row, repeat, subject, outcome):
        self.values[row.name, repeat, subject].append(outcome.seconds if outcome.value is None or row.unit == "s"
                                                      else outcome.value)

    def problem(self, row, repeat, subject, what):
        self.problems[row.name, repeat, subject].add(what)

    def median(self, row, repeat, subject):
        values = self.values.get((row.name, repeat, subject))
        return statistics.median(values) if values else None

    def ratio(self, row, repeat, subject):
        """How many times native's time (or native's rate over this one)."""
        mine, native = self.median(row, repeat, subject), self.median(row, repeat, "native")
        if not mine or not native:
            return None
        return mine / native if row.unit == "s" else native / mine

    def repeats(self, row):
        return ["cold", "warm"] if row.warm else ["cold"]

    def lines(self):
        """(row, repeat) in order, without those that nobody ran."""
        for row in self.rows:
            for repeat in self.repeats(row):
                if any((row.name, repeat, subject) in self.values or (row.name, repeat, subject) in self.problems
                       for subject in self.subjects):
                    yield row, repeat


def number(row, value):
    if value is None:
        return "-"
    if row.unit == "s":
        return f"{value:.3f} s" if value < 1 else f"{value:.2f} s"
    return f"{value:,.0f}"


def cell(results, row, repeat, subject):
    value = results.median(row, repeat, subject)
    marks = "".join("!" for _ in results.problems.get((row.name, repeat, subject), ()))
    if value is None:
        return f"failed{marks}" if marks else "-"
    ratio = results.ratio(row, repeat, subject)
    text = number(row, value)
    if subject != "native" and ratio is not None:
        text += f" ({ratio:.2f}x)" if ratio < 2 else f" ({ratio:.1f}x)"
    return text + marks


def table(results):
    header = ["workload", *results.subjects]
    if "mirrorfs" in results.subjects:
        header.append("calls")
    lines = []
    for row, repeat in results.lines():
        unit = "" if row.unit == "s" else f", {row.unit}"
        line = [f"{row.title}{unit}{', warm' if repeat == 'warm' else ''}"]
        line += [cell(results, row, repeat, subject) for subject in results.subjects]
        if "mirrorfs" in results.subjects:
            calls = results.calls.get((row.name, repeat))
            line.append("-" if calls is None else f"{sum(calls.values()):,}")
        lines.append(line)
    return header, lines


def text_table(results):
    header, lines = table(results)
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    rows = ["  ".join(part.ljust(width) if i == 0 else part.rjust(width)
                      for i, (part, width) in enumerate(zip(line, widths))).rstrip() for line in [header, *lines]]
    rows.insert(1, "-" * max(len(row) for row in rows))
    return "\n".join(rows + notes(results))


def notes(results):
    found = [f"! {row}, {repeat}, {subject}: {what}"
             for (row, repeat, subject), whats in sorted(results.problems.items()) for what in sorted(whats)]
    return [""] + found if found else []


def methods_text(results):
    lines = []
    for row, repeat in results.lines():
        calls = results.calls.get((row.name, repeat))
        if calls:
            listed = ", ".join(f"{name} {count}" for name, count in sorted(calls.items(), key=lambda item: -item[1]))
            lines.append(f"{row.title}{', warm' if repeat == 'warm' else ''}: {listed}")
    return "\n".join(lines)


def machine():
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / (1 << 20)
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}"


def as_json(results, settings):
    rows = []
    for row, repeat in results.lines():
        rows.append({
            "row": row.name, "title": row.title, "repeat": repeat, "unit": row.unit,
            "subjects": {subject: {"median": results.median(row, repeat, subject),
                                   "ratio_to_native": results.ratio(row, repeat, subject),
                                   "values": results.values.get((row.name, repeat, subject), []),
                                   "problems": sorted(results.problems.get((row.name, repeat, subject), []))}
                         for subject in results.subjects},
            "calls": results.calls.get((row.name, repeat))})
    return {"date": datetime.date.today().isoformat(), "machine": machine(), **settings, "rows": rows}


def where(rtt):
    return f"round trips of {rtt}" if rtt else "agent on the same machine"


def markdown(results, settings):
    header, lines = table(results)
    rows = ["| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *lines]]
    about = (f"{datetime.date.today().isoformat()}, {machine()}; "
             f"{settings.get('where') or where(settings['rtt'])}; "
             f"medians of {settings['rounds']} rounds.")
    text = [about, "", *rows, *[f"{note}  " for note in notes(results)]]
    methods = methods_text(results)
    if methods:
        text += ["", "Calls by method:", "", *[f"* {line}" for line in methods.splitlines()]]
    if settings.get("notes"):
        text += ["", *[f"* {note}" for note in settings["notes"]]]
    return "\n".join(text)


def write_docs(path, results, settings):
    """Replaces the part of the page that holds this kind of run."""
    name = settings.get("part") or (f"rtt {settings['rtt']}" if settings["rtt"] else "local")
    begin, end = DOCS_BEGIN.format(name=name), DOCS_END.format(name=name)
    page = pathlib.Path(path).read_text()
    if begin not in page or end not in page:
        raise SystemExit(f"{path} has no part marked {begin}")
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    pathlib.Path(path).write_text(f"{before}{begin}\n\n{markdown(results, settings)}\n\n{end}{after}")
