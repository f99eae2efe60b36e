"""Every mode, with the path on every list, and every kind of access, on a real container: what each gives, what is seen
afterwards, and whose tree has changed. The oracle is a native directory with the same content."""

import json
import os
import shutil
import subprocess

import mode_actions
import program_world

LISTS = ("", "read_write", "read_only", "local", "not_found")

# The contract, written down once more: whose file is read, and where what is written goes.
CELLS = {
    "read": {"": ("container", "layer"), "read_write": ("container", "container"), "read_only": ("container", "layer"),
             "local": ("local", "local"), "not_found": (None, None)},
    "write": {"": ("container", "container"), "read_write": ("container", "container"), "read_only": ("container", "layer"),
              "local": ("local", "local"), "not_found": (None, None)},
    "localwithoverrides": {"": ("local", "local"), "read_write": ("container", "container"),
                           "read_only": ("container", "layer"), "local": ("local", "local"), "not_found": (None, None)},
    "local": {name: ("local", "local") for name in LISTS},
}
# Of the container's root: what is no file of its.
KERNELS = ("proc", "sys", "dev")
PROGRAM = "python3 -I -c \"$MODE_ACTIONS\""


class ModeMatrixTest(program_world.ProgramWorld):

    def environment(self):
        with open(mode_actions.__file__, encoding="utf-8") as file:
            return {**super().environment(), "MODE_ACTIONS": file.read()}

    def natively(self, word):
        """What it gives on a directory that holds `word`, and how that looks afterwards."""
        directory = f"{self.place}/native-{word}"
        self.fill(directory, word)
        line = ["python3", "-I", mode_actions.__file__, directory]
        if self.user:
            line = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--", *line]
        answer = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
        self.assertEqual(set(answer["results"].values()), {"OK"})
        return answer, program_world.texts_of_tree(directory, times=False)

    def fill(self, directory, word):
        mode_actions.make_tree(directory, word)
        subprocess.run(["chown", "-R", f"{self.user}:{self.user}", directory], check=True)

    def whole_container(self):
        names = sorted(set(os.listdir(self.container)) - set(KERNELS))
        return {name: program_world.texts_of_tree(f"{self.container}/{name}") for name in names}

    def run_cell(self, mode, options, reads):
        """What the program says in the view. Afterwards the run has ended."""
        if mode == "local":  # no agent, no view, nothing that could be counted
            output = self.output_of("sh", "-c", f"{PROGRAM} {self.path}/cell", options=options)
            self.assertEqual(self.state_directories(), [])
            return json.loads(output)
        session = self.begin(*options)
        place = f"{self.path}/cell"
        if reads == "local":  # the way there may be the container's
            session.child.stdin.write(f"cd {place}\n")
            place = "."
            session.run("true")
        session.let_all_expire()
        before = session.calls()
        output, code = session.run(f"{PROGRAM} {place}")
        self.assertEqual(code, 0, output)
        if reads == "local":
            self.assertEqual(session.calls(), before, "the container was asked")
        elif reads == "container":
            self.assertGreater(session.calls(), before, "nothing was asked of the container")
        if reads == "container":
            self.fails_without_agent(f"cat {self.path}/cell/unread", f"mkdir {self.path}/cell/later")
        else:
            session.end()
            self.assert_nothing_left()
        return json.loads(output)

    def check_cell(self, mode, on_list, native):
        reads, writes = CELLS[mode][on_list]
        trees = {"container": self.inside + "/cell", "local": self.path + "/cell"}
        words = {"container": self.nonce, "local": program_world.POISON}
        for side, directory in trees.items():
            shutil.rmtree(directory, ignore_errors=True)
            self.fill(directory, words[side])
            with open(f"{directory}/unread", "w", encoding="utf-8") as file:
                file.write(words[side])
        before = {side: program_world.texts_of_tree(directory) for side, directory in trees.items()}
        whole = self.whole_container() if writes != "container" else None
        options = ["--fs-mode", mode]
        if on_list:
            options += [f"--{on_list.replace('_', '-')}", f"^{self.path}(/|$)"]
        answer = self.run_cell(mode, options, reads)
        if reads is None:
            self.assertEqual(set(answer["results"].values()), {"ENOENT"})
            self.assertEqual(answer["tree"], [])
        else:
            expected, _ = native[reads]
            self.assertEqual(answer["results"], expected["results"])
            self.assertEqual([line for line in answer["tree"] if line[0] != "unread"], expected["tree"])
        if writes != "container":
            self.assertEqual(self.whole_container(), whole)
        for side, directory in trees.items():
            if side == writes:
                os.unlink(f"{directory}/unread")
                self.assertEqual(program_world.texts_of_tree(directory, times=False), native[side][1])
            else:
                self.assertEqual(program_world.texts_of_tree(directory), before[side], f"{side} has changed")
        self.counts["cells of the mode matrix"] += len(mode_actions.ACTIONS)

    def check_mode(self, mode):
        native = {"container": self.natively(self.nonce), "local": self.natively(program_world.POISON)}
        for on_list in LISTS:
            with self.subTest(mode=mode, on_list=on_list or "none"):
                self.check_cell(mode, on_list, native)

    def test_read(self):
        self.check_mode("read")

    def test_write(self):
        self.check_mode("write")

    def test_local_with_overrides(self):
        self.check_mode("localwithoverrides")

    def test_local(self):
        self.check_mode("local")


class UserModeMatrixTest(program_world.UserWorld, ModeMatrixTest):
    """All of it, as an ordinary user."""


if __name__ == "__main__":
    program_world.main()
