"""The public kernel test suite (jupyter_kernel_test) on attune."""

import time

import jupyter_kernel_test
import psutil

from session import KERNEL


class AttuneTests(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL
    language_name = "go"
    file_extension = ".go"

    code_hello_world = 'import "fmt"\nfmt.Println("hello, world")'
    code_stderr = 'import ("fmt"; "os")\nfmt.Fprintln(os.Stderr, "to stderr")'
    code_generate_error = 'panic("on purpose")'
    code_page_something = "?strings.ToUpper"

    completion_samples = [
        {"text": "strings.ToUpp"},
        {"text": "var wordy = 3\nword"},
    ]
    complete_code_samples = [
        "1 + 1",
        "x := 3",
        "func double(x int) int { return 2 * x }",
        'import "fmt"',
        "for i := 0; i < 3; i++ {\n\tfmt.Println(i)\n}",
        "%who",
    ]
    incomplete_code_samples = [
        "func double(x int) int {",
        "fmt.Println(",
        "s := `raw",
        "for i := range 3 {\n",
        "x := 1 +",
    ]
    invalid_code_samples = ["x := := 3", "func )", "]"]

    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"a" + "b"'},
        {"code": "[]int{1, 2, 3}"},
    ]
    code_display_data = [
        {
            "code": 'import "attune/display"\ndisplay.Show(display.HTML("<b>bold</b>"))',
            "mime": "text/html",
        },
        {
            "code": 'import ("attune/display"; "image")\n'
            "display.Show(image.NewGray(image.Rect(0, 0, 8, 8)))",
            "mime": "image/png",
        },
    ]
    code_history_pattern = "6 ? 7*"
    supported_history_operations = ("tail", "range", "search")

    code_inspect_sample = "strings.ToUpper"
    code_clear_output = 'import "attune/display"\ndisplay.Clear(false)'
    support_iopub_welcome = True

    def setUp(self):
        # Completion and inspection follow what cells have imported.
        self.flush_channels()
        self.execute_helper('import "strings"\nvar _ = strings.ToUpper', timeout=60)


class WelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = KERNEL
    support_iopub_welcome = True


def completed(session, text):
    """The texts that come of taking each completion at the end of text."""
    reply = session.client.complete(text, reply=True, timeout=30)["content"]
    start, end = reply["cursor_start"], reply["cursor_end"]
    return [text[:start] + match + text[end:] for match in reply["matches"]]


def test_completes_members(session):
    session.run('import "strings"\nvar _ = strings.ToUpper')
    assert "strings.ToUpper" in completed(session, "strings.ToUpp")


def test_completes_what_cells_declared(session):
    session.run("wordy := 3")
    assert "wordy" in completed(session, "wor")


def test_completion_counts_code_points(session):
    """Offsets in the protocol count code points, Go counts bytes."""
    session.run("wordy := 3")
    assert 'x := "äöü🎵"; wordy' in completed(session, 'x := "äöü🎵"; wor')


def test_a_package_not_imported(session):
    """Its members are offered, and the cell that takes one gets the import."""
    taken = next(t for t in completed(session, "bytes.ToUpp") if t == "bytes.ToUpper")
    outcome = session.run(f'string({taken}([]byte("a")))')
    assert outcome.status == "ok" and 'import "bytes" was added' in outcome.stderr
    assert session.run("string(bytes.ToLower([]byte(\"A\")))").stderr == ""


def inspected(session, text, cursor=None):
    reply = session.client.inspect(text, cursor, reply=True, timeout=30)["content"]
    assert reply["found"], reply
    return reply["data"]


def test_inspects_the_parameter_at_the_cursor(session):
    data = inspected(session, 'strings.Repeat("ä", ')
    signature, marks, *_ = data["text/plain"].split("\n")
    assert signature[marks.index("^") : marks.rindex("^") + 1] == "count int"
    assert "<b>count int</b>" in data["text/html"] and "`count int`" in data["text/markdown"]


def test_says_the_indent(session):
    request = session.client.is_complete("func f() {\n\tfor {")
    reply = session.client.get_shell_msg(timeout=30)
    assert reply["parent_header"]["msg_id"] == request
    assert reply["content"] == {"status": "incomplete", "indent": "\t\t"}


def test_answers_while_a_cell_runs(session):
    session.run("wordy := 3")
    request = session.start('import "time"\ntime.Sleep(3 * time.Second)')
    assert "wordy" in completed(session, "wor")
    assert "value: 3" in inspected(session, "wordy")["text/plain"]
    assert session.finish(request).status == "ok"


def test_input(session):
    request = session.start('import "fmt"\nvar name string\nfmt.Scanln(&name)\nfmt.Println("hello", name)')
    question = session.client.get_stdin_msg(timeout=60)
    assert question["msg_type"] == "input_request"
    session.client.input("gopher")
    assert session.finish(request).stdout.endswith("hello gopher\n")


def test_error_aborts_the_queue(session):
    first = session.start('panic("stop here")')
    second = session.start("6 * 7")
    assert session.finish(first).status == "error"
    reply = session.client.get_shell_msg(timeout=30)
    assert reply["parent_header"]["msg_id"] == second
    # jupyter_client speaks of "aborted" where the messaging spec says "error".
    assert reply["content"]["status"] in ("aborted", "error")


def test_user_expressions(session):
    outcome = session.run("x := 20", user_expressions={"twice": "2 * x", "wrong": "nowhere"})
    answers = outcome.reply["user_expressions"]
    assert answers["twice"]["status"] == "ok"
    assert answers["twice"]["data"]["text/plain"] == "40"
    assert answers["wrong"]["status"] == "error"


def interrupted(session, code, after=1.0):
    request = session.start(code)
    time.sleep(after)
    session.manager.interrupt_kernel()
    return session.finish(request, timeout=60)


def test_interrupt_keeps_values(session):
    session.run("kept := 41")
    outcome = interrupted(session, "for {}")
    assert outcome.status == "error" and "nterrupt" in outcome.said
    outcome = session.run('import "fmt"\nfmt.Println(kept + 1)')
    assert outcome.stdout == "42\n", outcome.said


def test_interrupts_a_sleep(session):
    outcome = interrupted(session, 'import "time"\ntime.Sleep(time.Hour)')
    assert outcome.status == "error" and "nterrupt" in outcome.said


def test_restart(session):
    session.run("gone := 1")
    session.manager.restart_kernel(now=False)
    session.client.wait_for_ready(timeout=60)
    outcome = session.run("gone")
    assert outcome.status == "error" and "undefined: gone" in outcome.said


def test_shutdown_leaves_no_process(session):
    session.run("x := 1")
    kernel = psutil.Process(session.pid)
    family = [kernel, *kernel.children(recursive=True)]
    session.client.shutdown()
    _, alive = psutil.wait_procs(family, timeout=30)
    # The kernel is this process's own child and may wait to be reaped.
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


BURST = 'fmt.Print(strings.Repeat("x", 20_000_000))'


def check_bursts(session):
    session.run('import ("fmt"; "strings")\nvar _ = strings.Repeat')
    for _ in range(25):
        assert len(session.run(BURST, timeout=30).stdout) == 20_000_000


def test_bursts_arrive_whole(session):
    """Output that comes faster than it is taken waits, is not lost and does not hang."""
    check_bursts(session)


def test_a_client_that_never_reads_stalls_nobody(session):
    """Another front end that has stopped reading must not hold up this one's output."""
    silent = session.manager.blocking_client()
    silent.start_channels()
    try:
        silent.wait_for_ready(timeout=60)
        check_bursts(session)
    finally:
        silent.stop_channels()
