"""What programs write under mirrorfs exec: it reaches a private layer, is there at once, and can be brought to the container."""

import errno
import json
import os
import re
import signal
import shutil
import subprocess
import time
import unittest

import exec_world


class LayersTest(exec_world.ExecWorld):

    def changes(self, *layer):
        return {change["path"]: change["change"] for change in json.loads(self.succeed("diff", *layer, "-o", "json"))}

    def container_text(self, name):
        with open(os.path.join(self.container, name), encoding="utf-8") as file:
            return file.read()

    def layer_names(self):
        return [layer["name"] for layer in json.loads(self.succeed("layers", "-o", "json"))]

    def setUp(self):
        super().setUp()
        self.addCleanup(self.discard_all)
        self.write("container/data/kept", "before\n")

    def test_what_is_written_is_in_the_layer_as_soon_as_the_program_has_ended(self):
        for number in range(20):
            with self.subTest(number):
                self.shell("echo after >> /data/kept; echo new > /data/new; mkdir /data/made; rm /srv/program;"
                           "ln -s new /data/link; mv /srv/not-a-program /srv/moved")
                self.assertEqual(self.changes(), {"/data/kept": "M", "/data/new": "A", "/data/made": "A",
                                                  "/data/link": "A", "/srv/program": "D", "/srv/moved": "R"})
                self.assertIn("+after\n", self.succeed("diff", "-p"))
                self.assertEqual(self.container_text("data/kept"), "before\n")
                self.assertEqual(self.succeed("discard").split()[0], "Discarded")

    def test_what_is_written_through_a_map_is_there_too(self):
        code = ("import mmap, os; fd = os.open('/data/kept', os.O_RDWR); "
                "area = mmap.mmap(fd, 0); area[0:6] = b'mapped'; os._exit(0)")
        self.output_of("/usr/bin/python3", "-c", code)
        self.assertIn("+mapped\n", self.succeed("diff", "-p"))

    def test_a_layer_with_a_name_goes_on(self):
        for number in range(10):
            self.shell(f"test ! -e /data/{number} && echo {number} > /data/{number} && cat /data/*",
                       options=["--layer", "mine"])
        self.assertEqual(self.changes("mine"), {f"/data/{number}": "A" for number in range(10)})
        self.assertEqual(self.layer_names(), ["mine"])
        self.fail_with(2, "it is a layer of", "exec", "--target", f"dir:{self.place}/source", "--layer", "mine", "--", "true")

    def test_apply_brings_it_to_the_container(self):
        self.shell("echo after >> /data/kept; echo new > /data/new; rm /srv/program", options=["--layer", "mine"])
        text = self.succeed("apply", "mine")
        self.assertIn("Applied 3 changes", text)
        self.assertEqual(self.container_text("data/kept"), "before\nafter\n")
        self.assertEqual(self.container_text("data/new"), "new\n")
        self.assertFalse(os.path.exists(os.path.join(self.container, "srv/program")))
        self.assertEqual(self.layer_names(), [])
        self.assertEqual(self.output_of("cat", "/data/kept"), "before\nafter\n")

    def test_a_run_that_changes_nothing_leaves_no_layer(self):
        for _ in range(10):
            self.shell("cat /data/kept; echo x > /tmp/local && rm /tmp/local")
            self.assertEqual(self.succeed("layers"), "There are no private layers.\n")

    def test_a_layer_in_use_is_refused_at_once(self):
        child = self.start_shell("echo x > /data/new; echo written; read line", stdin=subprocess.PIPE,
                                 options=["--layer", "mine"])
        self.assertEqual(child.stdout.readline(), "written\n")
        self.assertEqual(self.changes("mine"), {"/data/new": "A"})
        for words in (["apply", "mine"], ["discard", "mine"], ["exec", "--target", self.target, "--layer", "mine", "--", "true"]):
            self.fail_with(7, "in use", *words)
        child.communicate("\n")
        self.assertEqual(self.succeed("discard", "mine").split()[:2], ["Discarded", "mine:"])

    def test_processes_in_the_background_keep_it_in_use(self):
        self.directory("out")
        self.shell(f"echo x > /data/new; (while [ ! -e {self.place}/out/end ]; do sleep 0.02; done) <&- >&- 2>&- &",
                   options=["--layer", "mine"])
        self.fail_with(7, "in use", "discard", "mine")
        self.write("out/end", "")
        self.assert_nothing_left()
        self.succeed("discard", "mine")

    def test_a_program_that_nobody_may_look_into_holds_nothing_up(self):
        sleeper = os.path.join(self.place, "sleeper")
        shutil.copy("/usr/bin/sleep", sleeper)
        os.chown(sleeper, 0, 0)
        os.chmod(sleeper, 0o111)
        child = self.start_exec(sleeper, "600")
        self.wait_for(lambda: (self.status(f"exec/{child.pid}") or {}).get("state") == "healthy", "the run")
        begin = time.monotonic()
        self.succeed("layers")
        self.assertLess(time.monotonic() - begin, 10)
        child.kill()
        child.wait()

    def test_each_list_and_mode_has_its_place(self):
        self.shell("echo log > /data/x.log; echo text > /data/x.txt", options=["--read-write", r"\.log$"])
        self.assertEqual(self.container_text("data/x.log"), "log\n")
        self.assertEqual(self.changes(), {"/data/x.txt": "A"})
        self.succeed("discard")
        self.shell("echo text > /data/y.txt; echo more >> /data/kept",
                   options=["--fs-mode", "write", "--read-only", "^/data/kept$"])
        self.assertEqual(self.container_text("data/y.txt"), "text\n")
        self.assertEqual(self.container_text("data/kept"), "before\n")
        self.assertEqual(self.changes(), {"/data/kept": "M"})


    def test_maps_write_where_list_and_mode_say(self):
        code = "import mmap; f = open('/data/kept', 'r+b'); mmap.mmap(f.fileno(), 0)[0:6] = b'mapped'"
        places = {(): "layer", ("--read-write", "^/data/"): "container", ("--fs-mode", "write"): "container",
                  ("--fs-mode", "write", "--read-only", "^/data/"): "layer",
                  ("--fs-mode", "localwithoverrides", "--read-only", "^/data/"): "layer"}
        for options, place in places.items():
            with self.subTest(options):
                self.write("container/data/kept", "before\n")
                self.output_of("/usr/bin/python3", "-c", code, options=options)
                self.assertEqual(self.container_text("data/kept"), "before\n" if place == "layer" else "mapped\n")
                self.assertEqual(self.layer_names() != [], place == "layer")
                if place == "layer":
                    self.assertIn("+mapped\n", self.succeed("diff", "-p"))
                self.discard_all()

    def test_a_full_disk_is_told_and_the_layer_is_whole(self):
        if self.user:
            self.skipTest("only root's layers lie on a disk of the tests' own")
        def resize(size):
            subprocess.run(["mount", "-o", f"remount,size={size}", exec_world.LAYERS], check=True)
        resize("1m")
        self.addCleanup(resize, "50%")
        result = self.run_exec("sh", "-c", "echo after >> /data/kept; head -c 4M /dev/zero > /data/big")
        self.assertIn(os.strerror(errno.ENOSPC), result.stderr)
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(self.changes(), {"/data/kept": "M", "/data/big": "A"})
        self.assertIn("+after\n", self.succeed("diff", "-p"))
        self.assertEqual(self.container_text("data/kept"), "before\n")


class UserLayersTest(LayersTest):
    """All of it, as an ordinary user."""

    user = exec_world.NOBODY


class LineTest(exec_world.ExecWorld):
    """What is said on the terminal."""

    def setUp(self):
        super().setUp()
        self.terminal = exec_world.Terminal(["sh"], {**self.environment(), "PS1": "prompt> "}, self.place)
        self.terminal.resize(24, 1000)
        self.terminal.expect("prompt> ")

    def tearDown(self):
        self.terminal.close()
        self.discard_all()
        super().tearDown()

    def run_line(self, text, *options):
        line = [f"{self.bin}/mirrorfs", "exec", "--target", self.target, *options, "--", "sh", "-c", f"'{text}'"]
        self.terminal.send(" ".join(line) + "\n")

    def test_how_many_paths_and_what_to_do(self):
        self.run_line("echo a > /data/a; echo b > /data/b; rm /srv/program", "--layer", "mine")
        self.terminal.expect("mirrorfs: 3 paths changed in the private layer mine: 'mirrorfs diff mine' shows them, "
                             "'mirrorfs apply mine' brings them to the container, 'mirrorfs discard mine' forgets them.")

    def test_nothing_is_said_of_nothing(self):
        self.run_line("echo rea\"\"dy; cat /srv/nonce")
        self.terminal.expect("ready\r\n")
        self.terminal.expect("prompt> ")
        self.assert_nothing_left()
        self.run_line("echo a > /data/a", "--layer", "mine")
        self.assertNotIn("private layer", self.terminal.expect("mirrorfs: 1 path changed in the private layer mine"))

    def test_a_large_file_is_copied_visibly(self):
        large = os.path.join(self.container, "data/large")
        with open(large, "wb") as file:
            for _ in range(128):
                file.write(b"x" * (1 << 20))
        self.run_line("echo start\"\"ed $$; read line; echo x | dd of=/data/large conv=notrunc status=none; echo r\"\"c $?")
        self.terminal.expect("started ")
        pid = int(self.terminal.expect("\r\n"))
        agent = self.status(f"exec/{pid}")["agent_pid"]
        os.kill(agent, signal.SIGSTOP)
        self.terminal.send("\n")
        self.slow_down(agent, "mirrorfs: copying /data/large to the private layer: ")
        rest = self.terminal.expect("prompt> ")
        self.assertIn("rc 0", rest)
        steps = [int(step) for step in re.findall(r"(\d+) of 128 MiB", rest)]
        self.assertEqual(steps, sorted(steps))
        # The keeper tells the end when it hears of it; the program may have gone on by then.
        self.assertRegex(rest, r"mirrorfs: copying /data/large to the private layer: 128 of 128 MiB(rc 0)?\r*\n")
        self.assertEqual(os.path.getsize(large), 128 << 20)

    def slow_down(self, pid, text):
        """Lets a process work a little now and then until `text` has come: as slowly as over a long distance."""
        for _ in range(300):
            subprocess.run(["sh", "-c", f"kill -STOP {pid}; sleep 0.3; kill -CONT {pid}; sleep 0.002"], check=True)
            if self.terminal.has(text):
                return
        self.fail(f"{text!r} did not come {self.terminal.seen[-600:]!r}")


if __name__ == "__main__":
    exec_world.main()
