"""Programs that are compiled for the tests: one without any C library, one with musl's, one with LMDB."""

import os
import subprocess

GO = """package main
import ("fmt"; "os"; "sync"; "syscall")
func main() {
    fd, err := syscall.Open(os.Args[1], syscall.O_RDONLY, 0)
    if err != nil { fmt.Println(err); os.Exit(1) }
    buffer := make([]byte, 100)
    n, err := syscall.Read(fd, buffer)
    fmt.Println(string(buffer[:n]), err)
    var group sync.WaitGroup
    failures := make(chan string, 100)
    for i := 0; i < 100; i++ {
        group.Add(1)
        go func() {
            defer group.Done()
            text, err := os.ReadFile(os.Args[1])
            if err != nil || string(text) != string(buffer[:n]) { failures <- fmt.Sprint(string(text), err) }
        }()
    }
    group.Wait()
    if len(failures) > 0 { fmt.Println(<-failures); os.Exit(1) }
}
"""

C = """
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

LMDB = """
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#define CHECK(call) do { int e = (call); if (e) { printf("%s: %s\\n", #call, mdb_strerror(e)); return 1; } } while (0)
int main(int argc, char** argv) {
  MDB_env* env; MDB_txn* txn; MDB_dbi db;
  MDB_val key = {3, "key"}, value = {strlen(argv[argc - 1]), argv[argc - 1]};
  CHECK(mdb_env_create(&env));
  CHECK(mdb_env_open(env, argv[1], MDB_NOSUBDIR | (argc > 3 ? MDB_WRITEMAP : 0), 0644));
  CHECK(mdb_txn_begin(env, NULL, 0, &txn));
  CHECK(mdb_dbi_open(txn, NULL, 0, &db));
  if (argc > 2) CHECK(mdb_put(txn, db, &key, &value, 0));
  CHECK(mdb_get(txn, db, &key, &value));
  printf("%.*s\\n", (int)value.mv_size, (char*)value.mv_data);
  CHECK(mdb_txn_commit(txn));
  mdb_env_close(env);
  return 0;
}
"""


def build(test, source, text, *command, **settings):
    test.write(source, text)
    made = subprocess.run(command, check=False, cwd=test.place, timeout=120, capture_output=True, text=True, **settings)
    test.assertEqual(made.returncode, 0, made.stdout + made.stderr)


def build_go(test, name):
    environment = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": f"{test.place}/cache", "HOME": test.place,
                   "GO111MODULE": "off", "GOFLAGS": "", "GOPATH": f"{test.place}/go"}
    build(test, "program.go", GO, "go", "build", "-o", name, "program.go", env=environment)


def build_musl(test, name):
    build(test, "program.c", C, "musl-gcc", "-static", "-o", name, "program.c")


def build_lmdb(test, name):
    build(test, "lmdb.c", LMDB, "gcc", "-o", name, "lmdb.c", "-llmdb")
