#!/usr/bin/python3
"""py-serv: answers every request with the greeting in /app/greeting.txt, and notes it in /var/log/py-serv.log.

app.py          serve on port 80
app.py --once   print one greeting, with where it is run and what the environment says
"""

import http.server
import os
import platform
import sys

GREETING = "/app/greeting.txt"
LOG = "/var/log/py-serv.log"


def greeting():
    with open(GREETING, encoding="utf-8") as file:
        return file.read()


def note(what):
    with open(LOG, "a", encoding="utf-8") as file:
        file.write(what + "\n")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = greeting().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words):
        note(words[0] % words[1:])


def main():
    if "--once" in sys.argv[1:]:
        print(greeting(), end="")
        print("python", platform.python_version(), "PY_SERV_FIRST:", os.environ.get("PY_SERV_FIRST", "(unset)"))
        note("greeted once")
        return
    note("serving")
    http.server.ThreadingHTTPServer(("", 80), Handler).serve_forever()


if __name__ == "__main__":
    main()
