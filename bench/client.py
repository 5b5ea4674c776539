"""A kernel started from its kernelspec, and a client on bare ZeroMQ sockets.

The client does as little as the protocol allows (messaging spec 5.3, "The wire
protocol"), so that what is measured is the kernel and not the client.
"""

import hashlib
import hmac
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psutil
import zmq
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from jupyter_client.kernelspec import KernelSpecManager

WAIT_MS = 120_000
DELIMITER = b"<IDS|MSG>"
# A kernel opens its ports seconds after they were chosen. In between nobody else may get
# one, as each ipykernel gets one more for its inner sockets: so they lie below those that
# Linux gives out by itself (32768 and up).
PORTS = range(20_000, 32_000)


class NotStartedError(Exception):
    """A kernel that ended, or did not answer in time, before its first reply."""


def free_ports(count, taken):
    """Ports of the range that nobody listens on; they are added to taken."""
    found = []
    while len(found) < count:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in taken:
            taken.add(port)
            found.append(port)
    return found


class Kernel:
    """One kernel process and its raw client."""

    taken = set()  # ports of this run: one that was given out may not be open yet

    def __init__(self, name, argv=None):
        self.folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.key = uuid.uuid4().hex.encode()
        path = os.path.join(self.folder.name, "kernel.json")
        names = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
        ports = dict(zip(names, free_ports(len(names), self.taken)))
        self.file, self.info = write_connection_file(path, key=self.key, **ports)
        spec = KernelSpecManager().get_kernel_spec(name) if argv is None else None
        argv = argv or spec.argv
        self.started = time.perf_counter()
        # A session of its own: an interrupt that goes to a group ends here.
        self.process = subprocess.Popen(
            [a.replace("{connection_file}", self.file) for a in argv],
            env=dict(os.environ, JPY_PARENT_PID=str(os.getpid()), **(spec.env if spec else {})),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.context = zmq.Context()
        self.shell = self._socket(zmq.DEALER, "shell_port")
        self.control = self._socket(zmq.DEALER, "control_port")
        self.iopub = self._socket(zmq.SUB, "iopub_port")
        self.heartbeat = self._socket(zmq.REQ, "hb_port")
        self.session = uuid.uuid4().hex
        self.replies = {}

    def _socket(self, kind, port):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.rcvtimeo = WAIT_MS
        socket.rcvhwm = 0  # what is lost shall be the kernel's loss, not the client's
        socket.reconnect_ivl = 1  # ms; the kernel's ports open some time after its start
        if kind == zmq.SUB:
            socket.subscribe(b"")
        socket.connect(f"tcp://{self.info['ip']}:{self.info[port]}")
        return socket

    def close(self):
        self.context.destroy(linger=0)
        for process in self.processes() if self.process.poll() is None else []:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                pass
        self.process.wait()
        self.folder.cleanup()

    def processes(self):
        kernel = psutil.Process(self.process.pid)
        return [*kernel.children(recursive=True), kernel]

    def pss(self):
        """The proportional set size of all its processes, in bytes (proc(5), smaps_rollup)."""
        total = 0
        for process in self.processes():
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            total += sum(int(l.split()[1]) for l in text.splitlines() if l.startswith("Pss:"))
        return total * 1024

    def send(self, socket, kind, content):
        """Sends one request; returns its id."""
        identity = uuid.uuid4().hex
        header = {
            "msg_id": identity, "session": self.session, "username": "bench",
            "date": "2000-01-01T00:00:00.000000Z", "msg_type": kind, "version": "5.3",
        }  # fmt: skip
        parts = [json.dumps(p).encode() for p in (header, {}, {}, content)]
        digest = hmac.new(self.key, digestmod=hashlib.sha256)
        for part in parts:
            digest.update(part)
        socket.send_multipart([DELIMITER, digest.hexdigest().encode(), *parts])
        return identity

    @staticmethod
    def receive(socket):
        """The next message as (header, parent header, raw content)."""
        parts = socket.recv_multipart()
        at = parts.index(DELIMITER)
        return json.loads(parts[at + 2]), json.loads(parts[at + 3]), parts[at + 5]

    def reply(self, request, socket=None):
        """The reply to a request; those of others that come before it are kept."""
        while request not in self.replies:
            header, parent, content = self.receive(socket or self.shell)
            self.replies[parent.get("msg_id")] = header["msg_type"], content
        kind, content = self.replies.pop(request)
        return kind, json.loads(content)

    def published(self, request):
        """Yields (type, raw content) of what is published for request, up to idle."""
        while True:
            header, parent, content = self.receive(self.iopub)
            if parent.get("msg_id") != request:
                continue
            yield header["msg_type"], content
            if header["msg_type"] == "status" and b'"idle"' in content:
                return

    def ready(self, limit=WAIT_MS / 1000):
        """Waits for the first kernel_info_reply, at most limit seconds after the process was
        started; seconds since then."""
        request = self.send(self.shell, "kernel_info_request", {})
        while not self.shell.poll(100):
            if self.process.poll() is not None:
                raise NotStartedError(f"it ended with status {self.process.returncode}")
            if time.perf_counter() - self.started > limit:
                raise NotStartedError(f"it did not answer in {limit:.0f} s")
        self.reply(request)
        return time.perf_counter() - self.started

    def settle(self):
        """Waits until iopub is subscribed too, which no reply tells."""
        self.iopub.rcvtimeo = 200
        start = time.perf_counter()
        while True:
            if time.perf_counter() - start > WAIT_MS / 1000:
                raise NotStartedError("nothing came on iopub")
            request = self.send(self.shell, "kernel_info_request", {})
            try:
                list(self.published(request))
                self.reply(request)
                break
            except zmq.Again:
                continue
        self.iopub.rcvtimeo = WAIT_MS

    def execute(self, code):
        return self.send(self.shell, "execute_request", {
            "code": code, "silent": False, "store_history": True, "user_expressions": {},
            "allow_stdin": False, "stop_on_error": True,
        })  # fmt: skip

    def run(self, code, status="ok"):
        """Runs a cell; (seconds until both reply and idle are in, what it printed)."""
        start = time.perf_counter()
        request = self.execute(code)
        printed = [c for kind, c in self.published(request) if kind == "stream"]
        _, reply = self.reply(request)
        took = time.perf_counter() - start
        if reply["status"] != status:
            raise RuntimeError(f"{code!r} ended as {json.dumps(reply)[:2000]}")
        return took, "".join(json.loads(c)["text"] for c in printed)

    def beat(self):
        """Seconds for a ping and its echo."""
        start = time.perf_counter()
        self.heartbeat.send(b"ping")
        self.heartbeat.recv()
        return time.perf_counter() - start

    def complete(self, code):
        """Seconds from the request to the reply. ipykernel answers on the shell channel
        when the cell has ended, attune at once."""
        start = time.perf_counter()
        kind, reply = self.reply(self.send(self.shell, "complete_request", {"code": code, "cursor_pos": len(code)}))
        if not reply["matches"]:
            raise RuntimeError(f"nothing completes {code}")
        return time.perf_counter() - start

    def interrupt(self, code, after=0.3):
        """Starts an endless cell and stops it; seconds from the request to idle."""
        request = self.execute(code)
        time.sleep(after)
        start = time.perf_counter()
        self.send(self.control, "interrupt_request", {})
        for _ in self.published(request):
            pass
        took = time.perf_counter() - start
        _, reply = self.reply(request)
        if reply["status"] != "error":
            raise RuntimeError("the interrupted cell says that it ended well")
        return took

    def client(self):
        """jupyter_client's own client on the same kernel."""
        client = BlockingKernelClient(connection_file=self.file)
        client.load_connection_file()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        return client


def run_through(client, code):
    """A cell through jupyter_client, to reply and idle; seconds."""
    start = time.perf_counter()
    request = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            break
    while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != request:
        pass
    return time.perf_counter() - start
