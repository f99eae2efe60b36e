"""mirrorfs explain and mirrorfs config, as they are run: output, exit codes, messages.

usage: commands_test.py MIRRORFS REPOSITORY
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

MIRRORFS = os.path.abspath(sys.argv[1])


class CommandsTest(unittest.TestCase):

    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="mirrorfs-commands-")
        self.addCleanup(place.cleanup)
        self.place = os.path.realpath(place.name)
        self.home = os.path.join(self.place, "home")
        self.work = os.path.join(self.place, "work")
        os.mkdir(self.home)
        os.mkdir(self.work)
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": self.home}

    def write(self, name, text):
        path = os.path.join(self.place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def run_it(self, *words, code=0, **environment):
        result = subprocess.run([MIRRORFS, *words], capture_output=True, text=True, cwd=self.work, timeout=60,
                                env={**self.environment, **environment}, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def explain(self, *words):
        return json.loads(self.run_it("explain", "-o", "json", *words).stdout)

    def test_ten_paths(self):
        self.write("work/.mirrorfs.yaml", "fs:\n  read_only:\n    - ^/app/\n  read_write: '\\.log$'\n  not_found: /secret\n"
                   "  mapping:\n    - {match: '^/data/(.*)', replace: '/app/$1'}\n")
        config = os.path.join(self.work, ".mirrorfs.yaml")
        expected = [
            ("/app/main.py", "container", "layer", f"{config}:3"),
            ("/app/x.log", "container", "container", f"{config}:4"),
            ("/app/secret/key", "not_found", "nowhere", f"{config}:5"),
            ("/srv/main.py", "local", "local", "default"),
            ("/srv/main.txt", "container", "layer", None),
            ("/etc/hosts", "container", "layer", "default"),
            ("/etc/passwd", "local", "local", "default"),
            (f"{self.home}/.aws/credentials", "not_found", "nowhere", "default"),
            ("notes.txt", "local", "local", "default"),
            ("/data/y/z", "container", "layer", f"{config}:3"),
        ]
        answers = self.explain(*[path for path, *_ in expected])
        for (path, side, writes, origin), answer in zip(expected, answers, strict=True):
            with self.subTest(path):
                rule = answer["rule"]
                self.assertEqual((answer["side"], answer["writes"], rule and rule["origin"]), (side, writes, origin))
        self.assertEqual(answers[8]["path"], f"{self.work}/notes.txt")
        self.assertEqual(answers[9]["meant"], "/app/y/z")
        self.assertEqual(answers[9]["mapping"], f"^/data/(.*) -> /app/$1 ({config}:7)")
        text = self.run_it("explain", "/data/y/z").stdout
        self.assertIn("/data/y/z: the container's\n", text)
        self.assertIn("means  /app/y/z", text)
        self.assertIn(f"read_only ^/app/ ({config}:3)", text)
        self.assertIn("write  goes to the private layer", text)

    def test_modes(self):
        for mode, side, writes in (("read", "container", "layer"), ("write", "container", "container"),
                                   ("localwithoverrides", "local", "local"), ("local", "local", "local")):
            answer = self.explain("--fs-mode", mode, "/srv/x")[0]
            self.assertEqual((answer["side"], answer["writes"], answer["rule"]), (side, writes, None))
            self.assertIn(mode, answer["why"])

    def test_the_programs_own_file_is_local(self):
        program = self.write("tools/run", "#!/bin/sh\n")
        os.chmod(program, 0o755)
        # The place of this test may lie below /tmp, which is local anyway.
        answer = self.explain("--program", "../tools/run", "--read-only", "^/nowhere/", program)[0]
        self.assertEqual(answer["side"], "local")

    def test_container_cwd_makes_the_working_directory_the_containers(self):
        place = "/var/lib"
        command = [MIRRORFS, "explain", "-o", "json", "dpkg"]
        here = subprocess.run(command, capture_output=True, text=True, cwd=place, env=self.environment, check=True)
        there = subprocess.run([*command, "--container-cwd"], capture_output=True, text=True, cwd=place,
                               env=self.environment, check=True)
        self.assertEqual(json.loads(here.stdout)[0]["side"], "local")
        self.assertEqual(json.loads(there.stdout)[0]["side"], "container")

    def test_volumes_would_matter_where_only_defaults_decide(self):
        def matters(path, *words):
            return self.explain(*words, path)[0]["if_no_volume"]
        self.assertTrue(matters("/etc/web.conf"))
        self.assertIn("but    the container's, if a volume", self.run_it("explain", "/etc/web.conf").stdout)
        self.assertFalse(matters("/etc/web.conf", "--no-auto-mount"))
        self.assertFalse(matters("/etc/web.conf", "--local", "^/etc/"))
        self.assertFalse(matters("/etc/web.conf", "--fs-mode", "local"))
        self.assertFalse(matters("/srv/data"))
        self.assertTrue(matters("/srv/data", "--fs-mode", "write"))
        self.assertTrue(matters("/srv/data", "--fs-mode", "localwithoverrides"))

    def test_explain_needs_no_target_but_takes_one(self):
        self.assertEqual(self.explain("--target", "docker/there-is-no-such", "/srv/x")[0]["side"], "container")
        answer = self.explain("--target", f"dir:{self.work}", "/etc/passwd")[0]
        self.assertEqual((answer["side"], answer["if_no_volume"]), ("local", False))

    def test_names_that_are_no_text_are_shown_harmlessly(self):
        result = subprocess.run([MIRRORFS, "explain", b"/srv/\xff\n\x1b[31m"], capture_output=True, cwd=self.work,
                                env=self.environment, check=True)
        self.assertIn(b"/srv/\xff??[31m: the container's", result.stdout)
        answer = json.loads(subprocess.run([MIRRORFS, "explain", "-o", "json", b"/srv/\xff"], capture_output=True,
                                           cwd=self.work, env=self.environment, check=True).stdout)
        self.assertEqual(answer[0]["side"], "container")

    def test_show_has_every_source(self):
        self.write("home/.config/mirrorfs/config.yaml", "fs:\n  auto_mount: false\n  local: [a]\n")
        self.write("work/.mirrorfs.yaml", "target: docker/web\nfs:\n  local:\n    - ^/b/\n    - ^/c/\n")
        self.write("named.json", '{"feature": {"fs": {"read_only": "^/d/"}, "env": false, "network": true}}')
        result = self.run_it("config", "show", "-f", "../named.json", "--fs-mode", "write", "-o", "json",
                             MIRRORFS_FS_NOT_FOUND="^/e/;^/f/")
        shown = json.loads(result.stdout)
        settings = shown["settings"]
        self.assertEqual(settings["fs.mode"], {"value": "write", "source": "flag --fs-mode"})
        self.assertEqual(settings["target"], {"value": "docker/web", "source": f"{self.work}/.mirrorfs.yaml:1"})
        self.assertEqual([entry["source"] for entry in settings["fs.local"]["value"]],
                         [f"{self.work}/.mirrorfs.yaml:4", f"{self.work}/.mirrorfs.yaml:5"])
        self.assertEqual(settings["fs.not_found"]["source"], "MIRRORFS_FS_NOT_FOUND")
        self.assertEqual(settings["fs.auto_mount"]["source"], f"{self.home}/.config/mirrorfs/config.yaml:2")
        self.assertEqual(settings["fs.read_only"]["source"], f"{self.place}/named.json:1")
        self.assertEqual(settings["fs.hide_credentials"], {"value": True, "source": "default"})
        self.assertEqual(len(shown["files"]), 3)
        self.assertEqual(result.stderr.count("warning"), 1)
        self.assertIn("feature.network (line 1)", result.stderr)
        table = self.run_it("config", "show").stdout
        self.assertRegex(table, r"(?m)^fs\.local +\^/b/ +\S+:4$\n +\^/c/ +\S+:5$")
        self.assertRegex(table, r"(?m)^fs\.mode +read +default$")

    def test_check(self):
        self.assertIn("There is no configuration file", self.run_it("config", "check").stdout)
        good = self.write("good.yaml", "fs: {mode: write}\n")
        self.assertIn(f"Fine: {good}", self.run_it("config", "check", good).stdout)
        for text, says in (
            ("fs:\n  readonly: x\n", "bad.yaml:2: there is no key fs.readonly; did you mean fs.read_only?"),
            ("fs:\n  local: ['(']\n", "bad.yaml:2: fs.local: the pattern '(' is not valid: missing )"),
            ("fs:\n  local: ^app/\n", "bad.yaml:2: fs.local: the pattern '^app/' can never match: paths are absolute"),
            ("fs:\n  read_only: ^/app/\n  local: ^/app/x/\n", "bad.yaml:3: fs.local: the pattern '^/app/x/' can never match: "
             "fs.read_only '^/app/'"),
            ("fs:\n  mapping: {'/a': '/$1'}\n", "bad.yaml:2: fs.mapping: '/a' to '/$1' is not valid: the pattern has no group"),
        ):
            result = self.run_it("config", "check", self.write("bad.yaml", text), code=2)
            self.assertIn(says, result.stderr)
            self.assertEqual(result.stdout, "")
        self.run_it("config", "check", "missing.yaml", code=1)

    def test_a_target_of_no_known_kind_is_a_warning(self):
        result = self.run_it("config", "check", self.write("mirrord.json", '{"target": "vm/web"}'))
        self.assertIn("mirrord.json:1: target 'vm/web': 'vm' is no kind of target", result.stderr)
        result = self.run_it("config", "check", self.write("mirrord.json", '{"target": "pod/web"}'))
        self.assertEqual(result.stderr, "")

    def test_usage(self):
        for words, says in ((["config"], "write config show, check or schema"), (["config", "chekc"], "did you mean check?"),
                            (["explain"], "a path is missing"), (["explain", "--fs-mod", "x", "/"], "did you mean --fs-mode?"),
                            (["explain", "--fs-mode", "x", "/"], "there is no mode 'x'"),
                            (["explain", "--read-only", "^a", "/"], "flag --read-only: fs.read_only: the pattern '^a'"),
                            (["explain", "-o", "xml", "/"], "-o xml: write json."),
                            (["explain", "-o", "wide", "/"], "-o wide: write json."),
                            (["config", "show", "-o", "wide"], "-o wide: write json."),
                            (["config", "check", "-o", "json"], "there is no option -o"),
                            (["config", "schema", "-t", "docker/web"], "there is no option -t"),
                            (["config", "schema", "x.yaml"], "words too many"),
                            (["config", "check", "--as", "bogus"], "flag --as"),
                            (["config", "check", "--hard", "--deadline", "1s"], "flag --hard: hard waits for ever"),
                            (["diff", "-p", "-o", "json"], "say one of them"), (["diff", "-o", "wide"], "write json"),
                            (["stats", "/", "-o", "wide"], "write json"), (["layers", "-o", "x"], "write wide or json")):
            self.assertIn(says, self.run_it(*words, code=2).stderr)
        self.assertIn("did you mean MIRRORFS_FS_READ_ONLY?", self.run_it("explain", "/", code=2, MIRRORFS_FS_READONLY="x").stderr)
        for command in ("explain", "config"):
            for text in (self.run_it("help", command).stdout, self.run_it(command, "--help").stdout):
                self.assertIn(f"Usage: mirrorfs {command}", text)
                self.assertIn("--read-only PATTERN", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
