"""Programs of every kind that read the container's files."""

import os
import subprocess
import unittest

import program_world


class ReadersTest(program_world.ProgramWorld):

    def setUp(self):
        super().setUp()
        self.put("data", f"first line\n{self.nonce}\nlast line\n")

    def test_cat(self):
        self.prove(f"cat {self.path}/data")

    def test_local_files_ask_nothing_of_the_container(self):
        self.write("mine.txt", "on this machine\n")
        self.local(f"cat {self.place}/mine.txt", "on this machine")

    def test_busybox_static(self):
        self.assertIn("statically linked", subprocess.run(["file", "-L", "/bin/busybox"], capture_output=True, text=True,
                                                          check=True).stdout)
        self.prove(f"/bin/busybox cat {self.path}/data")

    def test_python_open(self):
        self.prove(f"python3 -c 'print(open(\"{self.path}/data\").read())'")

    def test_python_dir_fd(self):
        program = ("import os\n"
                   f"directory = os.open('{self.path}', os.O_RDONLY | os.O_DIRECTORY)\n"
                   "print(os.read(os.open('data', os.O_RDONLY, dir_fd=directory), 100))")
        self.prove(f"python3 -c \"{program}\"")

    def test_python_mmap(self):
        program = (f"import mmap; file = open('{self.path}/data', 'rb')\n"
                   "print(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:])")
        self.prove(f"python3 -c \"{program}\"")

    def test_python_source_and_modules_of_the_container(self):
        self.put("app.py", f"import module\nprint(module.VALUE, '{self.nonce}')\n")
        self.put("module.py", f"VALUE = 'module {self.nonce}'\n")
        self.begin("--read-only", f"^{self.path}/")
        self.remote(f"python3 {self.path}/app.py", f"module {self.nonce} {self.nonce}")
        self.fails_without_agent(f"python3 {self.path}/app.py")

    def test_source_suffixes_are_local(self):
        self.put("app.py", f"print('{self.nonce}')\n")
        self.begin()
        output, _ = self.session.run(f"python3 {self.path}/app.py")
        self.assertEqual(output.strip(), program_world.POISON)

    def test_bash_script(self):
        self.put("script.sh", f"echo \"$(< {self.path}/data)\" | grep -c {self.nonce}\n"
                              f"cmp {self.path}/data {self.path}/data && while read line; do echo \"$line\"; done < {self.path}/data\n")
        self.prove(f"bash {self.path}/script.sh", "--read-only", f"^{self.path}/")

    def test_dash_script(self):
        self.put("script", f"#!/bin/dash\ncd {self.path}\nread line < data && . ./part && cat ../$(basename $PWD)/data\n", 0o755)
        self.put("part", f"echo part {self.nonce}\n")
        self.prove(f"{self.path}/script", expected=f"part {self.nonce}")

    def test_perl(self):
        self.put("program.pl", f"open(my $f, '<', '{self.path}/data') or die $!; print while <$f>; print '{self.nonce}';\n")
        self.prove(f"perl {self.path}/program.pl")

    def test_a_pipeline(self):
        self.prove(f"sort {self.path}/data | grep {self.nonce}")

    def test_strace(self):
        command = f"strace -f -e trace=openat cat {self.path}/data"
        output = self.remote(command)
        self.assertIn(f'openat(AT_FDCWD, "{self.path}/data", O_RDONLY) = ', output)
        self.fails_without_agent(command)

    def test_gdb(self):
        command = f"gdb -q -nx -batch -ex run -ex 'info proc cwd' --args cat {self.path}/data"
        self.begin()
        self.remote(command)
        self.session.stop_agent()
        output, _ = self.session.run(command)
        self.assertNotIn(self.nonce, output)
        self.session.continue_agent()

    def test_find_and_grep(self):
        for number in range(50):
            self.put(f"tree/d{number % 5}/f{number}", f"{number} {self.nonce}\n")
        output = self.remote(f"grep -r {self.nonce} {self.path}/tree | wc -l; find {self.path}/tree -type f | wc -l; "
                             f"cat {self.path}/data", "50\n50\n")
        self.assertIn(self.nonce, output)
        self.fails_without_agent(f"grep -r {self.nonce} {self.path}/tree")

    def test_tar(self):
        self.prove(f"tar -C {self.path} -cf - data | tar -xOf - data")


class UserReadersTest(program_world.UserWorld, ReadersTest):
    """All of it, as an ordinary user."""


class CompiledTest(program_world.ProgramWorld):
    """Programs without this machine's C library, and one with it."""

    def setUp(self):
        super().setUp()
        self.put("data", f"{self.nonce}\n")

    def build(self, *command, **settings):
        subprocess.run(command, check=True, cwd=self.place, timeout=600, capture_output=True, text=True, **settings)

    def source(self, name, text):
        return self.write(name, text)

    def test_go(self):
        self.source("program.go", """package main
import ("fmt"; "os"; "sync"; "syscall")
func main() {
    fd, err := syscall.Open(os.Args[1], syscall.O_RDONLY, 0)
    if err != nil { fmt.Println(err); os.Exit(1) }
    buffer := make([]byte, 100)
    n, err := syscall.Read(fd, buffer)
    fmt.Println(string(buffer[:n]), err)
    var group sync.WaitGroup
    failed := false
    for i := 0; i < 100; i++ {
        group.Add(1)
        go func() {
            defer group.Done()
            if text, err := os.ReadFile(os.Args[1]); err != nil || string(text) != string(buffer[:n]) { failed = true }
        }()
    }
    group.Wait()
    if failed { os.Exit(1) }
}
""")
        self.build("go", "build", "-o", "program", "program.go",
                   env={**os.environ, "CGO_ENABLED": "0", "GOCACHE": f"{self.place}/cache", "HOME": self.place,
                        "GO111MODULE": "off", "GOFLAGS": "", "GOPATH": f"{self.place}/go"})
        self.assertIn("statically linked", subprocess.run(["file", f"{self.place}/program"], capture_output=True,
                                                          text=True, check=True).stdout)
        self.prove(f"{self.place}/program {self.path}/data")

    PROGRAM_C = """
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
int main(int argc, char** argv) {
  struct stat attributes;
  int fd = open(argv[1], O_RDONLY);
  if (fd < 0 || fstat(fd, &attributes) != 0) { perror(argv[1]); return 1; }
  char* text = mmap(NULL, attributes.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (text == MAP_FAILED) { perror("mmap"); return 1; }
  return fwrite(text, 1, attributes.st_size, stdout) != attributes.st_size;
}
"""

    def test_musl(self):
        self.source("program.c", self.PROGRAM_C)
        self.build("musl-gcc", "-static", "-o", "program", "program.c")
        self.prove(f"{self.place}/program {self.path}/data")

    def test_a_program_that_lies_in_the_container(self):
        self.source("program.c", self.PROGRAM_C)
        self.build("musl-gcc", "-static", "-o", "program", "program.c")
        subprocess.run(["cp", f"{self.place}/program", f"{self.inside}/program"], check=True)
        self.own(f"{self.inside}/program", 0o755)
        # Of two programs at one path this machine's is meant, unless a rule says otherwise.
        self.put_poisoned_program()
        self.prove(f"{self.path}/program {self.path}/data", "--read-only", f"^{self.path}/")

    def put_poisoned_program(self):
        with open(f"{self.path}/program", "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho {program_world.POISON}\n")
        os.chmod(f"{self.path}/program", 0o755)

    def test_io_uring_by_fio(self):
        with open(f"{self.inside}/big", "wb") as file:
            file.write(os.urandom(4 << 20))
        self.own(f"{self.inside}/big", 0o644)
        command = (f"cd {self.place} && fio --name=read --readonly --filename={self.path}/big --rw=randread --bs=4k --size=4M "
                   "--ioengine=io_uring --iodepth=8 --output-format=terse --terse-version=3")
        self.begin()
        self.remote(command, ";read;")
        self.session.stop_agent()
        output, code = self.session.run(command)
        self.assertNotEqual(code, 0, output)
        self.session.continue_agent()


class UserCompiledTest(program_world.UserWorld, CompiledTest):
    """All of it, as an ordinary user."""


if __name__ == "__main__":
    program_world.main()
