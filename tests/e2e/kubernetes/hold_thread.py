#!/usr/bin/python3 -B
"""hold_thread.py TID: stops one thread of a process, as a debugger does, until the process is killed. Says "held"."""

import ctypes
import os
import sys

SEIZE, INTERRUPT, ALL_KINDS = 0x4206, 0x4207, 0x40000000   # linux/ptrace.h, linux/wait.h


def ptrace(request, thread):
    library = ctypes.CDLL(None, use_errno=True)
    if library.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")


def main(thread):
    ptrace(SEIZE, thread)
    ptrace(INTERRUPT, thread)
    os.waitpid(thread, ALL_KINDS)
    print("held", flush=True)
    while not os.WIFSIGNALED(os.waitpid(thread, ALL_KINDS)[1]):
        pass


main(int(sys.argv[1]))
