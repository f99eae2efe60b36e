"""Runs in a pod: listens where a shared agent would, with a certificate of its own, and writes down what it is told.
Arguments: the certificate with its key, a file for what it is told, a file for how often it was called."""

import socket
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
listener = socket.create_server(("127.0.0.1", 7443))
while True:
    connection, _ = listener.accept()
    with open(sys.argv[3], "a", encoding="utf-8") as calls:
        calls.write("called\n")
    try:
        with context.wrap_socket(connection, server_side=True) as stream:
            while data := stream.recv(65536):
                with open(sys.argv[2], "ab") as told:
                    told.write(data)
    except OSError:
        pass
