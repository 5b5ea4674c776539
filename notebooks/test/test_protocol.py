"""What the messaging protocol promises, of the real kernel and through jupyter_client."""

import socket
import threading
import time
from queue import Empty

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from schemas import Wrong, check
from session import KERNEL, Session


def execute(code, **options):
    return {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
            "stop_on_error": True, **options}  # fmt: skip


# ---- requests ------------------------------------------------------------------


def test_kernel_info_on_both_channels(session):
    for channel in ("shell", "control"):
        info = session.ask(channel, "kernel_info_request")
        assert info["language_info"]["name"] == "go"
        assert "kernel subshells" in info["supported_features"] and "debugger" not in info["supported_features"]


def test_silent_cells_leave_no_trace(session):
    session.run("x := 1")
    quiet = session.run("x + 41", silent=True)
    assert quiet.contents("execute_input") == [] and quiet.contents("execute_result") == []
    assert session.run("x").reply["execution_count"] == 2
    session.run("x", store_history=False)
    history = session.ask("shell", "history_request", {"hist_access_type": "range", "session": 0, "start": 1,
                                                       "stop": 9, "output": False, "raw": True})  # fmt: skip
    assert [line[1:] for line in history["history"]] == [[1, "x := 1"], [2, "x"]]


def test_order_of_a_cell(session):
    cell = 'import ("fmt"; "os")\nfmt.Println("a")\nfmt.Fprintln(os.Stderr, "b")\n6 * 7'
    outcome = session.run(cell)
    kinds = [m["msg_type"] for m in outcome.messages]
    assert kinds[:2] == ["status", "execute_input"] and kinds[-2:] == ["execute_result", "status"]
    assert sorted(kinds[2:-2]) == ["stream", "stream"]
    assert outcome.reply["execution_count"] == outcome.contents("execute_input")[0]["execution_count"] == 1


def test_is_complete(session):
    for code, status in {"1 + 1": "complete", "if true {": "incomplete", "x := := 1": "invalid"}.items():
        assert session.ask("shell", "is_complete_request", {"code": code})["status"] == status


def test_inspects_at_two_levels(session):
    session.run('import "strings"\nvar _ = strings.ToUpper')
    texts = []
    for level in (0, 1):
        content = {"code": "strings.ToUpper", "cursor_pos": 12, "detail_level": level}
        reply = session.ask("shell", "inspect_request", content)
        assert reply["found"] and "ToUpper" in reply["data"]["text/plain"]
        texts.append(reply["data"]["text/plain"])
    assert len(texts[1]) >= len(texts[0])
    nothing = session.ask("shell", "inspect_request", {"code": "nowhere", "cursor_pos": 3, "detail_level": 0})
    assert not nothing["found"] and nothing["data"] == {}


def test_completions_have_types(session):
    session.run('import "strings"\nvar _ = strings.ToUpper')
    reply = session.ask("shell", "complete_request", {"code": "strings.ToUpp", "cursor_pos": 13})
    types = reply["metadata"]["_jupyter_types_experimental"]
    assert [t["text"] for t in types] == reply["matches"] and types[0]["type"] == "function"


def test_what_is_not_supported_is_answered(session):
    reply = session.ask("control", "debug_request", {"seq": 1, "type": "request", "command": "debugInfo"})
    assert reply["status"] == "error" and not reply["success"] and "not supported" in reply["message"]
    assert session.ask("shell", "juggle_request")["status"] == "error"


def test_usage(session):
    usage = session.ask("control", "usage_request")
    assert usage["pid"] == session.pid and usage["kernel_memory"] > 10 << 20


def test_history_outlives_the_kernel():
    first = Session()
    first.run("6 * 7")
    first.client.shutdown()
    first.manager.provisioner.process.wait(30)
    first.close()
    second = Session()
    try:
        tail = second.ask("shell", "history_request", {"hist_access_type": "tail", "n": 1, "output": True, "raw": True})
        assert tail["history"][0][2] == ["6 * 7", "42"]
        ranged = second.ask("shell", "history_request", {"hist_access_type": "range", "session": -1, "start": 1,
                                                         "stop": 2, "output": False, "raw": False})  # fmt: skip
        assert ranged["history"][0][1:] == [1, "6 * 7"]
    finally:
        second.close()


# ---- outputs -------------------------------------------------------------------


def test_display_is_updated_by_a_later_cell(session):
    first = session.run('import "attune/display"\nlive := display.NewLive()\nlive.Update("one")')
    ident = first.contents("display_data")[0]["transient"]["display_id"]
    later = session.run('live.Update("two")')
    update = later.contents("update_display_data")[-1]
    assert update["transient"]["display_id"] == ident and "two" in update["data"]["text/plain"]


def test_clear_output(session):
    session.run('import "attune/display"\nvar _ = display.Clear')
    for wait in ("true", "false"):
        outcome = session.run(f"display.Clear({wait})")
        assert outcome.contents("clear_output") == [{"wait": wait == "true"}]


def test_pager(session):
    payload = session.run("?fmt.Println").reply["payload"]
    assert payload[0]["source"] == "page" and "Println" in payload[0]["data"]["text/plain"]


# ---- input ---------------------------------------------------------------------


def test_password(session):
    session.run('import "attune/stdlib/ask"\nvar _ = ask.Password')
    request = session.start('secret, err := ask.Password("secret: ")\nlen(secret)')
    question = session.client.get_stdin_msg(timeout=60)
    check("stdin", question)
    assert question["content"] == {"prompt": "secret: ", "password": True}
    session.client.input("hunter2")
    assert session.finish(request).contents("execute_result")[0]["data"]["text/plain"] == "7"


def test_question_is_interrupted(session):
    session.run('import "attune/stdlib/ask"\nvar _ = ask.Line')
    request = session.start('ask.Line("? ")')
    assert session.client.get_stdin_msg(timeout=60)["content"]["password"] is False
    session.ask("control", "interrupt_request")
    assert session.finish(request, timeout=30).status == "error"


def test_no_question_where_nobody_can_answer(session):
    outcome = session.run('import "fmt"\nvar x int\nfmt.Scan(&x)', allow_stdin=False)
    assert outcome.status == "error" and "cannot ask" in outcome.said


# ---- subshells and comms -------------------------------------------------------


def replies(session, wanted):
    found = {}
    while set(found) != set(wanted):
        reply = session.client.get_shell_msg(timeout=60)
        check("reply", reply)
        found[reply["parent_header"]["msg_id"]] = reply["content"]
    return found


def test_subshell_shares_the_variables(session):
    session.run('import ("sync/atomic"; "time")\nvar steps atomic.Int64\nvar enough atomic.Bool\nvar _ = time.Now')
    beside = session.ask("control", "create_subshell_request")["subshell_id"]
    assert session.ask("control", "list_subshell_request")["subshell_id"] == [beside]
    long = session.start("for !enough.Load() {\n\tsteps.Add(1)\n\ttime.Sleep(time.Millisecond)\n}")
    answer, looks = "", []
    deadline = time.monotonic() + 60
    while answer != "true":  # the long cell may still be on its way
        assert time.monotonic() < deadline
        looks.append(session.ask("shell", "execute_request", execute("steps.Load() > 0"), subshell=beside))
        seen = list(session.published(looks[-1], deadline))
        answer = [m["content"]["data"]["text/plain"] for m in seen if m["msg_type"] == "execute_result"][0]
        assert all(m["parent_header"]["subshell_id"] == beside for m in seen)
    stop = session.ask("shell", "execute_request", execute("enough.Store(true)"), subshell=beside)
    found = replies(session, [long, *looks, stop])
    assert {reply["status"] for reply in found.values()} == {"ok"}
    assert session.ask("control", "delete_subshell_request", {"subshell_id": beside})["status"] == "ok"


ECHO = """import "attune/stdlib/comm"
comm.Register("echo", func(c *comm.Comm, m comm.Message) {
	c.OnMessage(func(m comm.Message) { c.Send(map[string]int{"bytes": len(m.Buffers[0])}, m.Buffers...) })
})"""


def comm(session, kind, content, buffers=None):
    message = session.client.session.msg(kind, content)
    session.client.session.send(session.client.shell_channel.socket, message, buffers=buffers)
    return list(session.published(message["header"]["msg_id"], time.monotonic() + 60))


def test_comms_beside_a_long_cell(session):
    assert session.run(ECHO + '\nimport "time"\nvar _ = time.Now').status == "ok"
    long = session.start("time.Sleep(2 * time.Second)")
    opened = comm(session, "comm_open", {"comm_id": "c", "target_name": "echo", "data": {}})
    assert [m["msg_type"] for m in opened] == ["status", "status"]
    back = [m for m in comm(session, "comm_msg", {"comm_id": "c", "data": {}}, [b"abc"]) if m["msg_type"] == "comm_msg"]
    assert back[0]["content"]["data"] == {"bytes": 3} and bytes(back[0]["buffers"][0]) == b"abc"
    with pytest.raises(Empty):
        session.client.get_shell_msg(timeout=0.1)  # the cell still runs
    info = session.ask("shell", "comm_info_request", {"target_name": "echo"})
    assert info["comms"] == {"c": {"target_name": "echo"}}
    closed = comm(session, "comm_open", {"comm_id": "d", "target_name": "nobody", "data": {}})
    assert "comm_close" in [m["msg_type"] for m in closed]
    assert replies(session, [long])[long]["status"] == "ok"


# ---- start and end -------------------------------------------------------------


def test_start_as_vscode_does():
    """kernel_info on shell and control every half second until both a reply and an
    iopub message have come; iopub is subscribed to after the first question. The
    first cell's messages must all be heard."""
    manager = KernelManager(kernel_name=KERNEL)
    manager.start_kernel()
    client = manager.blocking_client()
    try:
        client.start_channels(shell=True, iopub=False, stdin=False, hb=False, control=True)
        replied = heard = False
        deadline = time.monotonic() + 30
        while not (replied and heard):
            assert time.monotonic() < deadline, (replied, heard)
            client.kernel_info()
            client.control_channel.send(client.session.msg("kernel_info_request", {}))
            client.iopub_channel.start()
            until = time.monotonic() + 0.5
            while time.monotonic() < until and not (replied and heard):
                replied = replied or client.shell_channel.socket.poll(50)
                heard = heard or client.iopub_channel.socket.poll(50)
        request = client.execute("6 * 7")
        kinds = []
        while not (kinds and kinds[-1] == "idle"):
            message = client.get_iopub_msg(timeout=30)
            check("iopub", message)
            if message["parent_header"].get("msg_id") == request:
                kinds.append(message["content"].get("execution_state", message["msg_type"]))
        assert kinds == ["busy", "execute_input", "execute_result", "idle"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_shutdown_is_answered_and_announced(session):
    reply = session.ask("control", "shutdown_request", {"restart": False})
    assert reply == {"status": "ok", "restart": False}
    assert session.manager.provisioner.process.wait(10) == 0
    kinds = [m["msg_type"] for m in session.leftovers(1).messages]
    assert "shutdown_reply" in kinds


def test_two_clients_hear_each_other(session):
    other = session.manager.blocking_client()
    other.start_channels()
    try:
        other.wait_for_ready(timeout=60)
        request = other.execute('import "fmt"\nfmt.Println("from the other")')
        texts = [m["content"]["text"] for m in session.published(request, time.monotonic() + 60) if m["msg_type"] == "stream"]
        assert texts == ["from the other\n"]
    finally:
        other.stop_channels()


class Proxy:
    """Stands between a client and one port of the kernel; cut drops what is connected."""

    def __init__(self, port):
        self.target, self.pairs = ("127.0.0.1", port), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                pair = self.listener.accept()[0], socket.create_connection(self.target)
            except OSError:
                return
            self.pairs.append(pair)
            for here, there in (pair, pair[::-1]):
                threading.Thread(target=self.pump, args=(here, there), daemon=True).start()

    @staticmethod
    def pump(here, there):
        try:
            while data := here.recv(65536):
                there.sendall(data)
        except OSError:
            pass

    def cut(self):
        for pair in self.pairs:
            for end in pair:
                end.shutdown(socket.SHUT_RDWR)
                end.close()
        self.pairs = []


def test_reconnects_after_the_connections_broke(session):
    """Every connection of a client breaks while a cell runs: the client comes back with
    its identity, hears the rest, and gets the reply."""
    info = session.manager.get_connection_info()
    proxies = {name: Proxy(info[name]) for name in info if name.endswith("_port")}
    client = BlockingKernelClient()
    client.load_connection_info({**info, **{name: proxy.port for name, proxy in proxies.items()}})
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        request = client.execute('import "time"\ntime.Sleep(2 * time.Second)\n6 * 7')
        time.sleep(0.5)
        for proxy in proxies.values():
            proxy.cut()
        kinds = []  # libzmq subscribes again when the socket is read, so that comes first
        while "execute_result" not in kinds:
            kinds.append(client.get_iopub_msg(timeout=30)["msg_type"])
        reply = client.get_shell_msg(timeout=30)
        assert reply["parent_header"]["msg_id"] == request and reply["content"]["status"] == "ok"
        assert client.execute("1 + 1", reply=True, timeout=30)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        for proxy in proxies.values():
            proxy.listener.close()


def test_unicode(session):
    text = "äöü 日本 🎵 \u2028 \\x00"
    assert session.run(f'import "fmt"\nfmt.Print("{text}")').stdout == text.replace("\\x00", "\x00")


def test_checks_can_fail(session):
    message = session.client.session.msg("status", {"execution_state": "busy"})
    message["header"]["version"] = "5.5"
    check("iopub", message)
    for content in ({"execution_state": "asleep"}, {}, {"execution_state": "busy", "more": 1}):
        with pytest.raises(Wrong):
            check("iopub", {**message, "content": content})
