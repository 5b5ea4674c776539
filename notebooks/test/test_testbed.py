"""The checks that the conformance matrix of kernels (runtimed/kernel-testbed) lists,
by its names and in its tiers, written anew for one kernel from start to shutdown."""

import time

import pytest

from session import Session

PRINT = 'import "fmt"\nfmt.Println("hello")'


@pytest.fixture(scope="module")
def kernel():
    running = Session()
    yield running
    running.close()


# ---- tier 1: basics ------------------------------------------------------------


def test_heartbeat_responds(kernel):
    assert kernel.client.hb_channel.is_beating()


def test_kernel_info_reply_valid(kernel):
    assert kernel.ask("shell", "kernel_info_request")["status"] == "ok"


def test_kernel_info_has_language_info(kernel):
    assert kernel.ask("shell", "kernel_info_request")["language_info"]["name"] == "go"


def test_kernel_info_has_protocol_version(kernel):
    assert kernel.ask("shell", "kernel_info_request")["protocol_version"] == "5.5"


def test_execute_stdout(kernel):
    assert kernel.run(PRINT).stdout == "hello\n"


def test_execute_stderr(kernel):
    assert kernel.run('println("to stderr")').stderr == "to stderr\n"


def test_execute_reply_ok(kernel):
    assert kernel.run("x := 1").reply["status"] == "ok"


def test_status_busy_idle_lifecycle(kernel):
    states = [c["execution_state"] for c in kernel.run("1").contents("status")]
    assert states == ["busy", "idle"]


def test_execute_input_broadcast(kernel):
    assert [c["code"] for c in kernel.run("1 + 1").contents("execute_input")] == ["1 + 1"]


# ---- tier 2: interactive -------------------------------------------------------


def test_complete_request(kernel):
    kernel.run("wordy := 1")
    assert "wordy" in kernel.ask("shell", "complete_request", {"code": "wor", "cursor_pos": 3})["matches"]


def test_inspect_request(kernel):
    kernel.run("wordy := 1")
    assert kernel.ask("shell", "inspect_request", {"code": "wordy", "cursor_pos": 5, "detail_level": 0})["found"]


@pytest.mark.parametrize("code, status", [("1 + 1", "complete"), ("func f() {", "incomplete")])
def test_is_complete(kernel, code, status):
    assert kernel.ask("shell", "is_complete_request", {"code": code})["status"] == status


def test_history_request(kernel):
    kernel.run("6 * 7")
    asked = {"hist_access_type": "tail", "n": 1, "output": False, "raw": True}
    assert kernel.ask("shell", "history_request", asked)["history"][0][2] == "6 * 7"


def test_comm_info_request(kernel):
    assert kernel.ask("shell", "comm_info_request")["comms"] == {}


def test_error_handling(kernel):
    outcome = kernel.run("x := := 1")
    assert outcome.reply["status"] == "error" and len(outcome.contents("error")) == 1
    assert outcome.reply["traceback"] == outcome.contents("error")[0]["traceback"]


# ---- tier 3: rich output -------------------------------------------------------


def test_display_data(kernel):
    outcome = kernel.run('import "attune/display"\ndisplay.Show(display.HTML("<b>x</b>"))')
    assert outcome.contents("display_data")[0]["data"]["text/html"] == "<b>x</b>"


def test_update_display_data(kernel):
    outcome = kernel.run(
        'import ("attune/display"; "time")\nl := display.NewLive()\nl.Update(1)\ntime.Sleep(200 * time.Millisecond)\nl.Update(2)'
    )
    assert outcome.contents("update_display_data")[-1]["data"]["text/plain"] == "2"


def test_execute_result(kernel):
    assert kernel.run("6 * 7").contents("execute_result")[0]["data"]["text/plain"] == "42"


def test_rich_execute_result(kernel):
    data = kernel.run("[]struct{ A, B int }{{1, 2}, {3, 4}}").contents("execute_result")[0]["data"]
    assert "<table" in data["text/html"]


# ---- tier 4: advanced ----------------------------------------------------------


def test_stdin_input_request(kernel):
    request = kernel.start('import "fmt"\nvar name string\nfmt.Scanln(&name)\nname')
    assert kernel.client.get_stdin_msg(timeout=60)["msg_type"] == "input_request"
    kernel.client.input("gopher")
    assert "gopher" in kernel.finish(request).contents("execute_result")[0]["data"]["text/plain"]


def test_comms_lifecycle(kernel):
    outcome = kernel.run('import "attune/stdlib/comm"\nmine, err := comm.Open("page", nil)\nmine.Send(nil)\nmine.Close(nil)')
    kinds = [m["msg_type"] for m in outcome.messages if m["msg_type"].startswith("comm")]
    assert kinds == ["comm_open", "comm_msg", "comm_close"]


def test_interrupt_request(kernel):
    request = kernel.start("for {\n}")
    time.sleep(1)
    assert kernel.ask("control", "interrupt_request") == {"status": "ok"}
    assert kernel.finish(request, timeout=30).status == "error"


def test_execution_count_increments(kernel):
    first, second = (kernel.run("1").reply["execution_count"] for _ in range(2))
    assert second == first + 1


def test_parent_header_correlation(kernel):
    request = kernel.start(PRINT)
    outcome = kernel.finish(request)
    assert {m["parent_header"]["msg_id"] for m in outcome.messages} == {request}


def test_shutdown_reply(kernel):
    assert kernel.ask("control", "shutdown_request", {"restart": False}) == {"status": "ok", "restart": False}
    assert kernel.manager.provisioner.process.wait(10) == 0
