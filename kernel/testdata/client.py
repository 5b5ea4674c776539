"""The echo kernel under the real jupyter_client.

ATTUNE_ECHO_KERNEL names the kernel's executable. Run it with -v for the names.
"""

import os
import time
import unittest

import zmq
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpec
from zmq.utils.monitor import recv_monitor_message

PATIENCE = 20  # seconds that a test waits for what must come


class Kernel(KernelManager):
    """A manager of the kernel under test, which is installed nowhere."""

    @property
    def kernel_spec(self):
        return KernelSpec(
            argv=[os.environ["ATTUNE_ECHO_KERNEL"], "-f", "{connection_file}"],
            display_name="echo",
            language="go",
            interrupt_mode="message",
        )


class Base(unittest.TestCase):
    transport = "tcp"

    def setUp(self):
        self.km = Kernel(transport=self.transport)
        self.km.start_kernel()
        self.addCleanup(self.km.shutdown_kernel, now=True)
        self.kc = self.client()

    def client(self):
        kc = self.km.client()
        kc.start_channels()
        self.addCleanup(kc.stop_channels)
        kc.wait_for_ready(timeout=PATIENCE)
        return kc

    def run_cell(self, code, **options):
        """Run a cell; return its reply's content and its (type, content) outputs."""
        outputs = []
        reply = self.kc.execute_interactive(
            code,
            timeout=PATIENCE,
            output_hook=lambda m: outputs.append((m["msg_type"], m["content"])),
            **options,
        )
        return reply["content"], outputs

    def text(self, outputs, name="stdout"):
        return "".join(c["text"] for kind, c in outputs if kind == "stream" and c["name"] == name)


class Protocol(Base):
    def test_order(self):
        reply, outputs = self.run_cell("say a\nwarn b\nresult 42\nshow id=x pic\nupdate id=x new\nclear wait")
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(
            [kind for kind, _ in outputs],
            ["status", "execute_input", "stream", "stream", "execute_result", "display_data",
             "update_display_data", "clear_output", "status"],
        )
        self.assertEqual(outputs[0][1]["execution_state"], "busy")
        self.assertEqual(outputs[-1][1]["execution_state"], "idle")

    def test_error(self):
        reply, outputs = self.run_cell("error TypeError no such thing")
        self.assertEqual((reply["status"], reply["ename"], reply["evalue"]), ("error", "TypeError", "no such thing"))
        self.assertEqual([kind for kind, _ in outputs].count("error"), 1)
        self.assertEqual(self.run_cell("say on")[0]["execution_count"], reply["execution_count"] + 1)

    def test_prints(self):
        _, outputs = self.run_cell("print 10000")
        self.assertEqual(self.text(outputs), "".join(f"line {i}\n" for i in range(10000)))

    def test_megabytes(self):
        _, outputs = self.run_cell("write 20971520")
        self.assertEqual(len(self.text(outputs)), 20971520)
        _, outputs = self.run_cell("png 20971520")
        picture = [c for kind, c in outputs if kind == "display_data"][0]
        self.assertEqual(len(picture["data"]["image/png"]), 20971520)

    def test_interrupt(self):
        request = self.kc.execute("loop")
        while self.kc.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "execute_input":
            pass
        self.km.interrupt_kernel()
        reply = self.kc.get_shell_msg(timeout=PATIENCE)
        self.assertEqual(reply["parent_header"]["msg_id"], request)
        self.assertEqual(reply["content"]["ename"], "Interrupted")
        self.assertEqual(self.text(self.run_cell("say on")[1]), "on\n")

    def test_input(self):
        def answer(message):
            self.kc.input(message["content"]["prompt"] + "!")

        _, outputs = self.run_cell("input who?", allow_stdin=True, stdin_hook=answer)
        self.assertEqual(self.text(outputs), "got who?!\n")

    def test_stop_on_error(self):
        requests = [self.kc.execute("sleep 300\nerror E stop"), self.kc.execute("say 1"), self.kc.execute("say 2")]
        replies = [self.kc.get_shell_msg(timeout=PATIENCE) for _ in requests]
        self.assertEqual([r["parent_header"]["msg_id"] for r in replies], requests)
        self.assertEqual([r["content"]["status"] for r in replies], ["error", "aborted", "aborted"])

    def test_while_a_cell_runs(self):
        self.kc.execute("loop")
        reply = self.kc.complete("ab", 2, reply=True, timeout=PATIENCE)
        self.assertEqual(reply["content"]["matches"], ["AB"])
        reply = self.kc.inspect("ab", 2, reply=True, timeout=PATIENCE)
        self.assertTrue(reply["content"]["found"])
        reply = self.kc.history(n=1, hist_access_type="tail", reply=True, timeout=PATIENCE)
        self.assertEqual(reply["content"]["status"], "ok")
        self.km.interrupt_kernel()

    def test_expressions(self):
        reply, _ = self.run_cell("", user_expressions={"a": "1", "b": "error x"})
        self.assertEqual(reply["user_expressions"]["a"]["data"]["text/plain"], "1")
        self.assertEqual(reply["user_expressions"]["b"]["status"], "error")

    def test_kernel_info_on_both_channels_until_both_answer(self):
        """What jupyter_server and VS Code do at the start."""
        kc = self.km.client()
        kc.start_channels()
        self.addCleanup(kc.stop_channels)
        answered = set()
        end = time.monotonic() + PATIENCE
        while answered != {"shell", "control", "iopub"}:
            self.assertLess(time.monotonic(), end)
            kc.kernel_info()
            message = kc.session.msg("kernel_info_request")
            kc.control_channel.send(message)
            for name in ("shell", "control", "iopub"):
                channel = getattr(kc, name + "_channel")
                if channel.socket.poll(500):
                    channel.get_msg(timeout=PATIENCE)
                    answered.add(name)

    def test_two_clients(self):
        other = self.client()
        other.execute("say from the other")
        seen = ""
        while "from the other" not in seen:
            message = self.kc.get_iopub_msg(timeout=PATIENCE)
            seen += message["content"].get("text", "")

    def test_wrong_key_is_ignored(self):
        info = self.km.get_connection_info()
        info["key"] = b"wrong"
        stranger = BlockingKernelClient()
        stranger.load_connection_info(info)
        stranger.start_channels()
        self.addCleanup(stranger.stop_channels)
        stranger.execute("say never")
        self.assertEqual(self.run_cell("say on")[0]["execution_count"], 1)

    def test_heartbeat(self):
        self.assertTrue(self.kc.hb_channel.is_beating())

    def test_heartbeats_of_zmtp(self):
        """libzmq hangs up on a peer that leaves its PING unanswered."""
        info = self.km.get_connection_info()
        sock = zmq.Context.instance().socket(zmq.DEALER)
        self.addCleanup(sock.close, linger=0)
        sock.heartbeat_ivl, sock.heartbeat_timeout = 50, 500
        events = sock.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self.addCleanup(sock.disable_monitor)
        sock.connect(f"tcp://{info['ip']}:{info['shell_port']}")
        self.assertTrue(events.poll(PATIENCE * 1000))
        self.assertEqual(recv_monitor_message(events)["event"], zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self.assertFalse(events.poll(1500), "the connection was lost")

    def test_restart_and_shutdown(self):
        self.run_cell("say before")
        self.km.restart_kernel()
        self.kc.wait_for_ready(timeout=PATIENCE)
        self.assertEqual(self.run_cell("say after")[0]["execution_count"], 1)
        reply = self.kc.shutdown(reply=True, timeout=PATIENCE)
        self.assertEqual(reply["content"], {"status": "ok", "restart": False})
        end = time.monotonic() + PATIENCE
        while self.km.is_alive():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)


class IPC(Base):
    transport = "ipc"

    def test_ipc(self):
        self.assertEqual(self.text(self.run_cell("say over ipc")[1]), "over ipc\n")


if __name__ == "__main__":
    unittest.main()
