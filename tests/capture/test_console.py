import os
import pty
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gage.capture import console as console_module
from gage.capture.console import STDERR, STDOUT, Console, LineSink, OutputLog, ProgressSink
from gage.capture.pipes import ThreadReader
from gage.capture.progress import ProgressBar, TqdmProgress
from gage.store.output import OutputWriter
from gage.store.owned import OwnedRun
from tests.project import wait_until

Code = str


class Recorded:
    """A command's output carried by a console, and what became of it."""

    def __init__(self, run: OwnedRun) -> None:
        self.run = run
        self.writer: OutputLog = run.output_writer("run")
        self.lines: list[bytes] = []
        self.echo_out: int | None = None
        self.echo_err: int | None = None
        self.progress: ProgressSink | None = None
        self.sink: LineSink | None = self._take_lines
        self.console: Console

    def _take_lines(self, lines: bytes, t_s: float) -> None:
        assert abs(time.time() - t_s) < 60
        self.lines.append(lines)

    def start(self, argv: list[str]) -> "subprocess.Popen[bytes]":
        self.console = Console(
            self.writer,
            echo_out=self.echo_out,
            echo_err=self.echo_err,
            line_sink=self.sink,
            progress=self.progress,
        )
        process = subprocess.Popen(
            argv, stdout=self.console.child_stdout, stderr=self.console.child_stderr
        )
        self.console.started()
        return process

    def carry_out(self, code: Code, *, grace_s: float = 5.0) -> "Recorded":
        """Run Python code to its end, as the supervisor does."""
        process = self.start([sys.executable, "-c", code])
        while self.console.pump(0.05):
            if process.poll() is not None:
                break
        process.wait(60)
        self.console.drain(grace_s)
        self.console.close()
        return self

    def stored(self, stream: int | None = None) -> bytes:
        chunks = self.run.output("run")
        return b"".join(chunk.data for chunk in chunks if stream in {None, chunk.stream})


@pytest.fixture
def recorded(run: OwnedRun) -> Recorded:
    return Recorded(run)


def printing(data: bytes | Code, *, fd: int = 1, times: int = 1) -> Code:
    """Code that writes `data`, or what an expression gives, to a descriptor."""
    value = repr(data) if isinstance(data, bytes) else data
    return f"import os\nfor _ in range({times}):\n  d={value}\n  while d: d=d[os.write({fd},d):]\n"


def test_both_streams_are_stored_as_they_came(recorded: Recorded) -> None:
    recorded.carry_out(printing(b"to out\n") + printing(b"to err\n", fd=2))

    assert recorded.stored(STDOUT) == b"to out\n"
    assert recorded.stored(STDERR) == b"to err\n"


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 10,
        b"\0" * 5000,
        b"no end of line",
        b"\xff\xfe invalid \xc3( utf-8\n",
        b"\n\n\n",
        b"a\rb\rc\n",
    ],
)
def test_any_bytes_are_stored_and_scanned(recorded: Recorded, data: bytes) -> None:
    recorded.carry_out(printing(data))

    assert recorded.stored(STDOUT) == data
    assert b"".join(recorded.lines) == data


def test_a_command_that_says_nothing_leaves_no_files(recorded: Recorded) -> None:
    recorded.carry_out("pass")

    assert not os.path.exists(recorded.writer.path)
    assert recorded.lines == []


def test_lines_reach_the_scanner_whole_however_they_were_written(recorded: Recorded) -> None:
    code = "import os,time\nfor c in b'loss: 0.25\\nacc: 0.5\\n':\n  os.write(1,bytes([c]))"

    recorded.carry_out(code)

    assert all(lines.endswith(b"\n") for lines in recorded.lines)
    assert b"".join(recorded.lines) == b"loss: 0.25\nacc: 0.5\n"


def test_streams_are_not_mixed_within_a_line(recorded: Recorded) -> None:
    code = (
        "import os,sys,time\n"
        "for i in range(50):\n"
        "  os.write(1,b'out-'); os.write(2,b'err-'); os.write(1,b'end\\n'); os.write(2,b'end\\n')\n"
    )

    recorded.carry_out(code)

    lines = b"".join(recorded.lines).split(b"\n")
    assert lines.count(b"out-end") == lines.count(b"err-end") == 50


def test_a_line_of_100_mb_is_stored_and_only_its_beginning_scanned(recorded: Recorded) -> None:
    recorded.carry_out(printing('b"x" * 1_000_000', times=100) + printing(b"\nloss: 1\n"))

    assert recorded.writer.size == 100_000_009
    scanned = b"".join(recorded.lines)
    assert scanned.endswith(b"\nloss: 1\n")
    assert len(scanned) < 3_000_000


def test_a_large_output_is_scanned_whole_though_late(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_module, "_MAX_LAG_S", 1000.0)
    count = 400_000
    code = (
        f"import sys\nfor i in range({count}): sys.stdout.write(f'metric value: {{i}} of many\\n')"
    )

    recorded.carry_out(code)

    lines = b"".join(recorded.lines).splitlines()
    assert len(lines) == count
    assert lines[-1] == f"metric value: {count - 1} of many".encode()
    assert b"".join(recorded.lines) == recorded.stored()


def test_a_steady_stream_is_scanned_while_it_flows(recorded: Recorded) -> None:
    process = recorded.start(["sh", "-c", "exec yes 'loss: 0.5'"])
    try:
        wait_until(lambda: recorded.console.pump(0.05) and len(recorded.lines) > 3)
    finally:
        process.kill()
        process.wait(30)
    recorded.console.close()


def test_the_terminal_shows_both_streams_as_they_are(recorded: Recorded, tmp_path: Path) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("wb") as shown_out, err.open("wb") as shown_err:
        recorded.echo_out, recorded.echo_err = shown_out.fileno(), shown_err.fileno()
        recorded.carry_out(printing(b"to out\n") + printing(b"to err", fd=2))

    assert out.read_bytes() == b"to out\n"
    assert err.read_bytes() == b"to err"
    assert recorded.console.unshown_bytes == 0


def test_a_slow_reader_gets_everything(recorded: Recorded) -> None:
    read_fd, write_fd = os.pipe()
    shown = bytearray()

    def read_slowly() -> None:
        while data := os.read(read_fd, 50_000):
            shown.extend(data)

    recorded.echo_out = write_fd
    reader = threading.Thread(target=read_slowly)
    reader.start()
    recorded.carry_out(printing('b"y" * 99_999 + b"\\n"', times=200))
    os.close(write_fd)
    reader.join(30)
    os.close(read_fd)

    assert len(shown) == 20_000_000
    assert recorded.console.unshown_bytes == 0


def test_a_stopped_terminal_does_not_stop_the_run(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gage.capture.echo._STALL_S", 0.3)
    read_fd, write_fd = os.pipe()
    recorded.echo_out = write_fd

    recorded.carry_out(printing('b"z" * 99_999 + b"\\n"', times=150))

    assert recorded.writer.size == 15_000_000
    assert recorded.console.dropped_bytes == 0
    assert recorded.console.unshown_bytes > 10_000_000
    os.close(read_fd)
    os.close(write_fd)


def test_a_closed_terminal_does_not_stop_the_run(recorded: Recorded) -> None:
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    recorded.echo_out = write_fd

    recorded.carry_out(printing(b"hello\n", times=1000))

    assert len(recorded.stored()) == 6000
    assert recorded.console.unshown_bytes > 0
    os.close(write_fd)


def test_a_descriptor_that_is_closed_here_is_left_alone(recorded: Recorded) -> None:
    recorded.echo_out = 4095

    recorded.carry_out(printing(b"hello\n"))

    assert recorded.stored() == b"hello\n"


def test_a_non_blocking_terminal_gets_everything(recorded: Recorded) -> None:
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    recorded.echo_out = write_fd
    shown = bytearray()
    reader = threading.Thread(target=lambda: shown.extend(_read_all(read_fd)))
    reader.start()

    recorded.carry_out(printing('b"w" * 500_000'))
    os.close(write_fd)
    reader.join(30)

    assert len(shown) == 500_000


def _read_all(fd: int) -> bytes:
    with os.fdopen(fd, "rb") as file:
        return file.read()


def test_a_real_terminal_shows_the_output(recorded: Recorded) -> None:
    master, slave = pty.openpty()
    recorded.echo_out = slave

    recorded.carry_out(printing(b"hello\n"))

    assert os.read(master, 100) == b"hello\r\n"
    os.close(slave)
    os.close(master)


@pytest.fixture
def full_after() -> Iterator[Callable[[int], None]]:
    """Lets no file grow beyond so many bytes, as a disk that is full by then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


UNLIMITED = """
import resource
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
"""


def test_a_full_disk_loses_output_but_not_the_run(
    recorded: Recorded, full_after: Callable[[int], None]
) -> None:
    full_after(100_000)

    recorded.carry_out(UNLIMITED + printing('b"v" * 9_999 + b"\\n"', times=50))

    assert recorded.console.dropped_bytes == 400_000
    assert len(recorded.stored()) == 100_000
    assert recorded.console.warnings == [
        f"Output is being lost: cannot write {recorded.writer.path}"
    ]
    assert b"".join(recorded.lines).count(b"\n") == 50


def test_what_is_not_stored_is_scanned_rather_than_held(
    recorded: Recorded, full_after: Callable[[int], None]
) -> None:
    full_after(0)

    recorded.carry_out(UNLIMITED + printing('b"u" * 99_999 + b"\\n"', times=200))

    assert recorded.console.dropped_bytes == 20_000_000
    assert b"".join(recorded.lines).count(b"\n") == 200


def test_a_full_disk_and_a_stopped_terminal_together(
    recorded: Recorded, full_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gage.capture.echo._STALL_S", 0.3)
    full_after(0)
    read_fd, recorded.echo_out = os.pipe()

    recorded.carry_out(UNLIMITED + printing('b"t" * 99_999 + b"\\n"', times=200))

    assert recorded.console.unshown_bytes > 15_000_000
    os.close(read_fd)
    os.close(recorded.echo_out)


def test_a_second_run_of_a_phase_scans_its_own_output(run: OwnedRun) -> None:
    first, second = Recorded(run), Recorded(run)
    first.carry_out(printing('b"old\\n" * 3_000_000'))

    second.carry_out(printing('b"new\\n" * 3_000_000'))

    assert b"".join(second.lines) == b"new\n" * 3_000_000


def test_drain_does_not_wait_for_what_the_command_left_behind(recorded: Recorded) -> None:
    process = recorded.start(["sh", "-c", "sleep 60 & echo $!; echo done"])
    process.wait(30)
    begun_s = time.monotonic()

    recorded.console.drain(0.3)
    recorded.console.close()

    assert time.monotonic() - begun_s < 20
    sleeper, done = recorded.stored().split()
    assert done == b"done"
    os.kill(int(sleeper), 9)


def test_drain_waits_for_what_is_still_being_said(recorded: Recorded) -> None:
    process = recorded.start(["sh", "-c", "(sleep 0.3; echo late) & echo early"])
    process.wait(30)

    recorded.console.drain(30)
    recorded.console.close()

    assert recorded.stored() == b"early\nlate\n"


def test_drain_takes_what_lies_in_the_pipe_without_any_grace(recorded: Recorded) -> None:
    process = recorded.start([sys.executable, "-c", printing('b"s" * 60_000')])
    process.wait(30)

    recorded.console.drain(0)
    recorded.console.close()

    assert len(recorded.stored()) == 60_000


def test_a_watched_descriptor_ends_the_wait(recorded: Recorded) -> None:
    read_fd, write_fd = os.pipe()
    process = recorded.start(["sleep", "60"])
    recorded.console.watch(read_fd)
    os.write(write_fd, b"x")
    begun_s = time.monotonic()

    assert recorded.console.pump(50)

    assert time.monotonic() - begun_s < 20
    process.kill()
    process.wait(30)
    recorded.console.close()
    os.close(read_fd)
    os.close(write_fd)


def test_draining_does_not_spin_on_what_was_watched(recorded: Recorded) -> None:
    read_fd, write_fd = os.pipe()
    process = recorded.start(["sh", "-c", "sleep 60 & echo $!"])
    recorded.console.watch(read_fd)
    os.close(write_fd)
    process.wait(30)
    begun_s = time.process_time()

    recorded.console.drain(1.0)

    assert time.process_time() - begun_s < 0.5
    recorded.console.close()
    os.kill(int(recorded.stored()), 9)
    os.close(read_fd)


def test_a_console_that_is_never_used_leaves_no_descriptors(run: OwnedRun) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        Console(
            run.output_writer("run"), echo_out=None, echo_err=None, line_sink=None, progress=None
        ).close()

    assert len(os.listdir("/proc/self/fd")) == before


def test_the_thread_reader_carries_everything_too(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_module, "open_reader", ThreadReader)

    recorded.carry_out(printing('b"r" * 999 + b"\\n"', times=3000) + printing(b"err\n", fd=2))

    assert len(recorded.stored(STDOUT)) == 3_000_000
    assert recorded.stored(STDERR) == b"err\n"


def test_progress_is_taken_out_of_what_is_stored_and_scanned(recorded: Recorded) -> None:
    progress = TqdmProgress(None)
    recorded.progress = progress
    code = (
        "import sys\n"
        "for i in range(0, 101, 10):\n"
        "  sys.stderr.write(f'\\r{i:3d}%|###   | {i}/100 [00:01<00:02]')\n"
        "sys.stderr.write('\\n'); print('loss: 0.5')\n"
    )

    recorded.carry_out(code)

    assert recorded.stored() == b"loss: 0.5\n"
    assert progress.state is not None
    assert progress.state.percent == 100


def test_text_held_back_as_a_possible_bar_is_stored_at_the_end(recorded: Recorded) -> None:
    recorded.progress = TqdmProgress(None)

    recorded.carry_out(printing(b"   "))

    assert recorded.stored() == b"   "


def test_the_bar_is_taken_off_before_output_and_put_back_after(
    recorded: Recorded, tmp_path: Path
) -> None:
    shown = tmp_path / "terminal"
    with shown.open("wb") as terminal:
        recorded.echo_out = recorded.echo_err = terminal.fileno()
        recorded.progress = TqdmProgress(ProgressBar("train", 80))
        recorded.carry_out(
            "import sys,time\n"
            "sys.stderr.write('\\r 50%|###   | 50/100 [00:01<00:01]'); sys.stderr.flush()\n"
            "time.sleep(0.4)\n"
            "print('hello', flush=True)\n"
            "time.sleep(0.2)\n"
        )

    parts = shown.read_bytes().split(b"\r\x1b[K")
    assert parts[0].startswith(b"\rtrain  50%")
    assert parts[1].startswith(b"hello\n\rtrain  50%")
    assert parts[-1] == b""


@pytest.mark.parametrize("make", [lambda: None, lambda: os.pipe()[1]])
def test_many_consoles_can_live_at_once(
    tmp_path: Path, run: OwnedRun, make: Callable[[], int | None]
) -> None:
    consoles = [
        Console(
            OutputWriter(run.dir, f"p{i}"),
            echo_out=None,
            echo_err=None,
            line_sink=None,
            progress=None,
        )
        for i in range(20)
    ]
    for console in consoles:
        os.write(console.child_stdout, b"x\n")
        console.started()
        while console.pump(0.1):
            pass
        console.close()

    assert len(list((run.meta_dir / "output").glob("*.log"))) == 20
