"""The schema that `mirrorfs config schema` prints: valid itself, and of one mind with `config check` about every file.

usage: schema_test.py MIRRORFS REPOSITORY
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

MIRRORFS, REPOSITORY = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
CLEAN = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}

GOOD = [
    "",
    "fs:\n",
    "fs: {mode: write}",
    "fs: {local: '^/a'}",
    "fs: {local: ['^/a', '^/b']}",
    "fs: {mapping: [{match: '^/a', replace: /b}]}",
    "fs: {mapping: {'^/a': /b}}",
    "fs: {auto_mount: false, hide_credentials: false}",
    "env: {include: ['*'], exclude: A, set: {A: 1, B: true, C: x}, unset: [D]}",
    "agent: {as: container, deadline: 10, hard: false, runtime_socket: /s}",
    "agent: {as: '1000:1000', hard: true}",
    "agent: {image: x, port: 7443, privileged: true, label: [a=b], ttl: 0, follow: true}",
    "cluster: {namespace: n, context: c, kube_as_group: [a, b]}",
    "agent: {tls_ca: /a, tls_cert: /b, tls_key: /c, token_file: /d}",
    "target: docker/web\ncontainer_cwd: true",
]

BAD = [
    "[]",
    "text",
    "fs: read",
    "fs: {mode: rw}",
    "fs: {mode: [read]}",
    "fs: {readonly: '^/a'}",
    "fs: {local: {a: b}}",
    "fs: {local: ['']}",
    "fs: {local: ''}",
    "fs: {auto_mount: 'false'}",
    "fs: {auto_mount: 1}",
    "fs: {mapping: [{match: '^/a'}]}",
    "fs: {mapping: [{match: '^/a', replace: /b, more: c}]}",
    "fs: {mapping: ['^/a']}",
    "env: {set: [A]}",
    "env: {set: {A: [1]}}",
    "agent: {program: /x}",
    "agent: {hard: 2}",
    "agent: {label: {a: b}}",
    "target: {path: x}",
    "feature_flags: {}",
]


def examples():
    """Files in docs/examples and the yaml blocks of the documents, with their names."""
    for path in sorted(glob.glob(f"{REPOSITORY}/docs/examples/*")):
        with open(path) as file:
            yield path, file.read()
    for path in sorted(glob.glob(f"{REPOSITORY}/docs/**/*.md", recursive=True) + [f"{REPOSITORY}/README.md"]):
        with open(path) as file:
            for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", file.read(), re.M | re.S)):
                yield f"{path}#{number}.yaml", block


class SchemaTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        printed = subprocess.run([MIRRORFS, "config", "schema"], check=True, capture_output=True, text=True, env=CLEAN)
        cls.schema = json.loads(printed.stdout)
        cls.validator = jsonschema.Draft202012Validator(cls.schema)

    def check(self, text, suffix=".yaml"):
        with tempfile.TemporaryDirectory() as place:
            path = os.path.join(place, "x" + suffix)
            with open(path, "w") as file:
                file.write(text)
            return subprocess.run([MIRRORFS, "config", "check", path], capture_output=True, text=True, env=CLEAN, cwd=place)

    def test_the_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_every_key_says_what_it_is_for(self):
        for name, part in self.schema["properties"].items():
            for key in part.get("properties", {name: part}).values():
                self.assertTrue(key["description"])

    def test_good_files(self):
        for text in GOOD:
            with self.subTest(text):
                self.assertEqual(list(self.validator.iter_errors(yaml.safe_load(text))), [])
                self.assertEqual(self.check(text).returncode, 0)

    def test_bad_files(self):
        for text in BAD:
            with self.subTest(text):
                self.assertFalse(self.validator.is_valid(yaml.safe_load(text)))
                self.assertEqual(self.check(text).returncode, 2)

    def test_examples(self):
        checked = 0
        for name, text in examples():
            with self.subTest(name):
                base = os.path.basename(name)
                result = self.check(text, ".mirrord" + base[base.rindex("."):] if base.startswith("mirrord.") else ".yaml")
                self.assertEqual((result.returncode, result.stderr.count("warning") < 2), (0, True), result.stderr)
                if not base.startswith("mirrord."):
                    self.assertEqual(list(self.validator.iter_errors(yaml.safe_load(text))), [])
                checked += 1
        self.assertGreaterEqual(checked, 5)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
