"""Language runtimes and their libraries: Java, Node, curl's certificates."""

import http.server
import ssl
import subprocess
import threading

import program_world

JAVA = """
import java.nio.file.*;
public class Main {
  public static void main(String[] words) throws Exception {
    System.out.println(Other.VALUE + Files.readString(Path.of(words[0])));
    try (var channel = java.nio.channels.FileChannel.open(Path.of(words[0]))) {
      var map = channel.map(java.nio.channels.FileChannel.MapMode.READ_ONLY, 0, channel.size());
      System.out.println(map.remaining());
    }
  }
}
class Other { static final String VALUE = new String("class WORD "); }
"""
JVM = "java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -Xmx128m"
SERVER_JS = """
const fs = require('fs');
console.log(require('./lib/value.js'), fs.readFileSync('DIRECTORY/data-node', 'utf8'), fs.readdirSync('DIRECTORY/lib').join());
"""


def make_java(path, word):
    """A directory of classes, compiled here, and a jar of them."""
    subprocess.run(["mkdir", "-p", f"{path}/classes"], check=True)
    with open(f"{path}/Main.java", "w", encoding="utf-8") as file:
        file.write(JAVA.replace("WORD", word))
    subprocess.run(["javac", "-J-XX:TieredStopAtLevel=1", "-d", f"{path}/classes", f"{path}/Main.java"], check=True,
                   capture_output=True, timeout=120)
    subprocess.run(["jar", "--create", "--file", f"{path}/app.jar", "--main-class", "Main", "-C", f"{path}/classes", "."],
                   check=True, timeout=120)


class RuntimesTest(program_world.ProgramWorld):

    def test_programs_and_their_libraries(self):
        self.put_made("java", make_java)
        self.put("lib/value.js", f"module.exports = 'module {self.nonce}'\n")
        self.put("server.js", SERVER_JS.replace("DIRECTORY", self.path))
        for name in ("classes", "jar", "node"):
            self.put(f"data-{name}", f"{self.nonce}\n")
        java = f"class {self.nonce} {self.nonce}\n\n17\n"
        commands = {
            "classes": (f"{JVM} -cp {self.path}/java/classes Main {self.path}/data-classes", java),
            "jar": (f"{JVM} -jar {self.path}/java/app.jar {self.path}/data-jar", java),
            "node": (f"node {self.path}/server.js", f"module {self.nonce} {self.nonce}\n value.js"),
        }
        self.begin("--read-only", f"^{self.path}/")
        for name, (command, expected) in commands.items():
            with self.subTest(program=name):
                self.remote(command, expected)
        self.fails_without_agent(*(command for command, _ in commands.values()))

    def test_curl_trusts_what_the_container_trusts(self):
        authority = self.certificate()
        with open(authority, encoding="utf-8") as file:
            self.put_outside("/etc/ssl/certs/ca-certificates.crt", file.read())
        command = f"unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR; curl -sS https://localhost:{self.serve()}/"
        outside = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        self.assertIn("certificate", outside.stderr)
        self.prove(command)

    def certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{self.place}/key.pem", "-out",
                        f"{self.place}/certificate.pem"], check=True, capture_output=True)
        return f"{self.place}/certificate.pem"

    def serve(self):
        nonce = self.nonce

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 20

            def do_GET(self):  # pylint: disable=invalid-name
                self.send_response(200)
                self.end_headers()
                self.wfile.write(nonce.encode())

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # pylint: disable=arguments-differ
                pass  # a client that does not trust it
        server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.place}/certificate.pem", f"{self.place}/key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]


class UserRuntimesTest(program_world.UserWorld, RuntimesTest):
    """All of it, as an ordinary user."""


if __name__ == "__main__":
    program_world.main()
