"""What may stand between a user and the API server: a proxy that his kubeconfig names, and one that lets no SPDY through."""

import contextlib
import re
import socket
import subprocess
import threading


class Relay:
    """Listens on a port of the loopback, and carries each connection to where `lead` says: an address, or None for one that
    it has answered itself. `heads`: of all connections so far, the text until the first empty line."""

    def __init__(self):
        self.heads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def lead(self, stream, head):
        raise NotImplementedError

    def first_words(self, head):
        """What the other end is told of the head."""
        return head

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self.listener.accept()[0],), daemon=True).start()

    def _serve(self, stream):
        with contextlib.suppress(OSError), stream:
            head = b""
            while b"\r\n\r\n" not in head:
                block = stream.recv(65536)
                if not block:
                    return
                head += block
            self.heads.append(head.split(b"\r\n\r\n")[0].decode())
            address = self.lead(stream, head)
            if address:
                with socket.create_connection(address) as other:
                    other.sendall(self.first_words(head))
                    back = threading.Thread(target=self._copy, args=(other, stream), daemon=True)
                    back.start()
                    self._copy(stream, other)
                    back.join()

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)


class ConnectProxy(Relay):
    """As `proxy-url` and HTTPS_PROXY name them."""

    def lead(self, stream, head):
        asked = re.match(rb"CONNECT ([^ :]+):(\d+) ", head)
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        return asked[1].decode(), int(asked[2])

    def first_words(self, head):
        return b""


class NoSpdy(Relay):
    """The API server by plain HTTP, with the rights of a kubeconfig, for everything but SPDY."""

    def __init__(self, cluster, kubeconfig=None):
        command = cluster.command("proxy", "--port=0", "--reject-paths=^$", kubeconfig=kubeconfig)
        self.behind = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=cluster.environment())
        self.behind_port = int(self.behind.stdout.readline().rsplit(":", 1)[1])
        self.refused = 0
        super().__init__()

    def close(self):
        super().close()
        self.behind.kill()
        self.behind.wait()
        self.behind.stdout.close()

    def lead(self, stream, head):
        if b"upgrade: spdy" not in head.lower():
            return "127.0.0.1", self.behind_port
        self.refused += 1
        said = b"nothing but WebSocket goes through here"
        stream.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" %
                       (len(said), said))
        return None
