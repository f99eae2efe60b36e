"""Language runtimes and their libraries: Java, Node, curl's certificates; and the reference programs of other tools."""

import http.server
import os
import ssl
import subprocess
import threading
import unittest

import program_world


class RuntimesTest(program_world.ProgramWorld):

    def java(self, text):
        """Compiles a class here, for the container."""
        self.directory("java")
        self.write("java/Main.java", text)
        subprocess.run(["javac", "-d", f"{self.place}/java", f"{self.place}/java/Main.java"], check=True,
                       capture_output=True, timeout=600)

    def put_file(self, source, name):
        subprocess.run(["cp", source, f"{self.inside}/{name}"], check=True)
        self.own(f"{self.inside}/{name}", 0o644)

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
class Other { static final String VALUE = new String("class VALUE "); }
"""
    JVM = "java -XX:TieredStopAtLevel=1 -Xshare:auto -Xmx128m"

    def test_java_classes(self):
        self.java(self.JAVA.replace("VALUE \"", f"{self.nonce} \""))
        for name in ("Main.class", "Other.class"):
            self.put_file(f"{self.place}/java/{name}", name)
        self.put("data", f"{self.nonce}\n")
        command = f"{self.JVM} -cp {self.path} Main {self.path}/data"
        self.begin("--read-only", f"^{self.path}/")
        self.remote(command, f"class {self.nonce} {self.nonce}")
        self.fails_without_agent(command)

    def test_java_jar(self):
        self.java(self.JAVA.replace("VALUE \"", f"{self.nonce} \""))
        subprocess.run(["jar", "--create", "--file", f"{self.place}/app.jar", "--main-class", "Main", "-C",
                        f"{self.place}/java", "Main.class", "-C", f"{self.place}/java", "Other.class"], check=True)
        self.put_file(f"{self.place}/app.jar", "app.jar")
        self.put("data", f"{self.nonce}\n")
        command = f"{self.JVM} -jar {self.path}/app.jar {self.path}/data"
        self.begin("--read-only", f"^{self.path}/")
        self.remote(command, f"class {self.nonce} {self.nonce}")
        self.fails_without_agent(command)

    def test_node(self):
        self.put("data", f"{self.nonce}\n")
        self.put("lib/value.js", f"module.exports = '{self.nonce}'\n")
        self.put("server.js", f"const fs = require('fs'); console.log(require('./lib/value.js'), "
                              f"fs.readFileSync('{self.path}/data', 'utf8'), fs.readdirSync('{self.path}').join());\n")
        command = f"node {self.path}/server.js"
        self.begin("--read-only", f"^{self.path}/")
        self.remote(command, f"{self.nonce} {self.nonce}\n data,lib,server.js")
        self.fails_without_agent(command)

    # --- The reference programs of tools that preload a library, unchanged

    NODE_SAMPLE = """
import { Buffer } from "node:buffer";
import { createServer } from "net";
import { open, readFile } from "fs/promises";
async function debug_file_ops() {
  try {
    const readOnlyFile = await open("/var/log/dpkg.log", "r");
    console.log(">>>>> open readOnlyFile ", readOnlyFile);
    let buffer = Buffer.alloc(128);
    let bufferResult = await readOnlyFile.read(buffer);
    console.log(">>>>> read readOnlyFile returned with ", bufferResult);
    const sampleFile = await open("/tmp/node_sample.txt", "w+");
    console.log(">>>>> open file ", sampleFile);
    const written = await sampleFile.write("mirrord sample node");
    console.log(">>>>> written ", written, " bytes to file ", sampleFile);
    let sampleBuffer = Buffer.alloc(32);
    let sampleBufferResult = await sampleFile.read(buffer);
    console.log(">>>>> read ", sampleBufferResult, " bytes from ", sampleFile);
    readOnlyFile.close();
    sampleFile.close();
  } catch (fail) {
    console.error("!!! Failed file operation with ", fail);
  }
}
debug_file_ops();
"""

    def test_node_sample_with_its_file_operations(self):
        self.write("app.mjs", self.NODE_SAMPLE)
        log = os.path.join(self.root if not self.user else self.container, "var/log/dpkg.log")
        with open(log, "w", encoding="utf-8") as file:
            file.write(self.nonce * 10)
        os.chmod(log, 0o644)
        self.addCleanup(os.unlink, log)
        self.begin("--read-write" if not self.user else "--read-only", "^/tmp/node_sample")
        output = self.remote(f"node {self.place}/app.mjs", "bytesRead: 128")
        self.assertNotIn("Failed", output)
        self.assertIn("written  { bytesWritten: 19", output)
        self.assertFalse(os.path.exists("/tmp/node_sample.txt"))
        self.session.end()
        if not self.user:
            with open(f"{self.root}/tmp/node_sample.txt", encoding="utf-8") as file:
                self.assertEqual(file.read(), "mirrord sample node")
            os.unlink(f"{self.root}/tmp/node_sample.txt")

    def test_python_references(self):
        tmp = os.path.join(self.root if not self.user else self.container, "tmp/test")
        with open(tmp, "w", encoding="utf-8") as file:
            file.write(f"{self.nonce} and more than forty-two characters of text")
        self.own(tmp, 0o644)
        self.addCleanup(os.unlink, tmp)
        self.write("test.py", """
import os
with open("/tmp/test", "r+") as rw_file:
    read_str = rw_file.read(42)
print(read_str)
fd = os.open("/tmp/test", os.O_WRONLY | os.O_CREAT)
dir = os.open("/tmp", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_DIRECTORY)
fd = os.open("test", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=dir)
read = os.read(fd, 1024)
print(read)
with open("/tmp/test", "w") as file:
    file.seek(10)
    file.write("TEXT")
print(repr(open("/tmp/test").read()))
""")
        self.begin("--read-only", "^/tmp/test$")
        output = self.remote(f"python3 {self.place}/test.py")
        self.assertIn(repr("\0" * 10 + "TEXT"), output)
        self.session.end()
        with open(tmp, encoding="utf-8") as file:
            self.assertTrue(file.read().startswith(self.nonce))
        self.assertFalse(os.path.exists("/tmp/test"))

    # --- The container's certificates

    def test_curl_trusts_what_the_container_trusts(self):
        authority = self.certificate()
        certificates = os.path.join(self.root if not self.user else self.container, "etc/ssl/certs")
        made = not os.path.isdir(certificates)
        os.makedirs(certificates, exist_ok=True)
        bundle = os.path.join(certificates, "ca-certificates.crt")
        subprocess.run(["cp", authority, bundle], check=True)
        os.chmod(bundle, 0o644)
        self.addCleanup(lambda: (os.unlink(bundle), made and os.removedirs(certificates)))
        port = self.serve()
        outside = subprocess.run(["curl", "-sS", f"https://localhost:{port}/"], capture_output=True, text=True, check=False)
        self.assertIn("certificate", outside.stderr)
        self.prove(f"curl -sS https://localhost:{port}/")

    def certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{self.place}/key.pem", "-out",
                        f"{self.place}/certificate.pem"], check=True, capture_output=True)
        return f"{self.place}/certificate.pem"

    def serve(self):
        nonce = self.nonce

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                self.send_response(200)
                self.end_headers()
                self.wfile.write(nonce.encode())

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.place}/certificate.pem", f"{self.place}/key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
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
