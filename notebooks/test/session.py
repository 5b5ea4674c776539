"""A kernel and its client as the tests use them: run a cell, look at what came."""

import os
import time
from dataclasses import dataclass, field
from queue import Empty

import psutil
from jupyter_client.manager import KernelManager

from schemas import check

KERNEL = os.environ.get("ATTUNE_TEST_KERNEL", "attune")

# Generous: the first native cell of a fresh machine compiles with cold caches.
CELL = 120


@dataclass
class Outcome:
    """What one cell came to: its reply and everything published for it, in order."""

    reply: dict = field(default_factory=dict)
    messages: list = field(default_factory=list)

    def contents(self, kind):
        return [m["content"] for m in self.messages if m["msg_type"] == kind]

    def stream(self, name):
        return "".join(c["text"] for c in self.contents("stream") if c["name"] == name)

    @property
    def status(self):
        return self.reply["status"]

    @property
    def stdout(self):
        return self.stream("stdout")

    @property
    def stderr(self):
        return self.stream("stderr")

    @property
    def said(self):
        """All that a user reads of a failure: the error and what stands on stderr."""
        parts = [self.stderr]
        for error in [*self.contents("error"), self.reply]:
            parts += [error.get("ename", ""), error.get("evalue", ""), *error.get("traceback", [])]
        return "\n".join(parts)


class Session:
    """One running kernel with one connection that lasts as long as it does."""

    def __init__(self, kernel=KERNEL, **start):
        self.manager = KernelManager(kernel_name=kernel)
        self.manager.start_kernel(**start)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=60)
        except RuntimeError:
            self.close()
            raise

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    @property
    def pid(self):
        return self.manager.provisioner.pid

    def limit(self, resource, amount):
        """Sets a limit (psutil.RLIMIT_*) for the kernel, its processes, and by
        inheritance those that it starts later."""
        kernel = psutil.Process(self.pid)
        for process in [kernel, *kernel.children(recursive=True)]:
            process.rlimit(resource, (amount, amount))

    def start(self, code, **options):
        return self.client.execute(code, **options)

    def run(self, code, timeout=CELL, **options):
        return self.finish(self.start(code, **options), timeout)

    def finish(self, request, timeout=CELL):
        """Waits for the reply and for idle; raises TimeoutError when either stays out."""
        outcome, deadline = Outcome(), time.monotonic() + timeout
        for message in self.published(request, deadline):
            outcome.messages.append(message)
        while not outcome.reply:
            message = self.client.get_shell_msg(timeout=max(0.1, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") == request:
                check("reply", message)
                outcome.reply = message["content"]
        return outcome

    def published(self, request, deadline):
        """Yields what is published for request, up to idle."""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            except Empty:
                raise TimeoutError("no idle in time") from None
            check("iopub", message)
            if message["parent_header"].get("msg_id") != request:
                continue
            yield message
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return

    def ask(self, channel, kind, content=None, subshell=None):
        """Sends a request of any kind; returns its reply's content, or on the shell
        channel with a cell its id."""
        message = self.client.session.msg(kind, content or {})
        if subshell:
            message["header"]["subshell_id"] = subshell
        getattr(self.client, channel + "_channel").send(message)
        if kind == "execute_request":
            return message["header"]["msg_id"]
        while True:
            reply = getattr(self.client, f"get_{channel}_msg")(timeout=60)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                check("reply", reply)
                return reply["content"]

    def leftovers(self, seconds):
        """What is published within seconds, whoever it belongs to."""
        outcome, deadline = Outcome(), time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                outcome.messages.append(self.client.get_iopub_msg(timeout=left))
            except Empty:
                break
        return outcome
