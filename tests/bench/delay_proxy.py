#!/usr/bin/env python3
"""Puts distance between two ends of a stream: every byte arrives later by half a round trip, at full bandwidth.

usage: delay_proxy.py --rtt 20ms LISTEN TARGET     each is unix:/path or host:port; port 0 takes a free one

Prints the address it listens on, then serves until it is ended.
"""

import argparse
import asyncio
import collections
import re
import sys

CHUNK = 1 << 18
MAX_QUEUED = 64 << 20  # bytes on their way in one direction: far more than any window, so never a limit


def seconds(text):
    match = re.fullmatch(r"([0-9.]+)(us|ms|s)?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text}: not a time; write 20ms, 500us or 0.02s")
    return float(match.group(1)) * {"us": 1e-6, "ms": 1e-3, "s": 1, None: 1}[match.group(2)]


class DelayLine:
    """One direction of one connection."""

    def __init__(self, reader, writer, delay):
        self._reader, self._writer, self._delay = reader, writer, delay
        self._queue = collections.deque()
        self._queued = 0
        self._changed = asyncio.Condition()

    async def run(self):
        await asyncio.gather(self._take(), self._give())

    async def _take(self):
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await self._reader.read(CHUNK)
            except ConnectionError:
                data = b""
            async with self._changed:
                self._queue.append((loop.time() + self._delay, data))
                self._queued += len(data)
                self._changed.notify_all()
                await self._changed.wait_for(lambda: self._queued < MAX_QUEUED)
            if not data:
                return

    async def _give(self):
        loop = asyncio.get_running_loop()
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._queue)
                due, data = self._queue.popleft()
                self._queued -= len(data)
                self._changed.notify_all()
            await asyncio.sleep(max(0, due - loop.time()))
            try:
                if not data:
                    if self._writer.can_write_eof():
                        self._writer.write_eof()
                    return
                self._writer.write(data)
                await self._writer.drain()
            except (ConnectionError, RuntimeError):
                return


async def connect(address):
    if address.startswith("unix:"):
        return await asyncio.open_unix_connection(address[5:], limit=CHUNK)
    host, port = address.rsplit(":", 1)
    return await asyncio.open_connection(host, int(port), limit=CHUNK)


async def listen(address, serve):
    if address.startswith("unix:"):
        return await asyncio.start_unix_server(serve, address[5:], limit=CHUNK), address
    host, port = address.rsplit(":", 1)
    server = await asyncio.start_server(serve, host, int(port), limit=CHUNK)
    return server, f"{host}:{server.sockets[0].getsockname()[1]}"


async def main(options):
    async def serve(reader, writer):
        try:
            far_reader, far_writer = await connect(options.target)
        except OSError as error:
            print(f"delay_proxy.py: {options.target}: {error}", file=sys.stderr)
            writer.close()
            return
        try:
            await asyncio.gather(DelayLine(reader, far_writer, options.rtt / 2).run(),
                                 DelayLine(far_reader, writer, options.rtt / 2).run())
        finally:
            writer.close()
            far_writer.close()

    server, address = await listen(options.listen, serve)
    print(address, flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rtt", type=seconds, required=True)
    parser.add_argument("listen")
    parser.add_argument("target")
    try:
        asyncio.run(main(parser.parse_args()))
    except KeyboardInterrupt:
        pass
