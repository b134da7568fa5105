import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.capture.progress import ProgressBar, ProgressState, TqdmProgress

BAR = "\r 45%|████▌     | 45/100 [00:12<00:15,  3.60it/s]"


def cleaned(*chunks: str | bytes) -> tuple[bytes, ProgressState | None]:
    progress = TqdmProgress(None)
    data = [chunk if isinstance(chunk, bytes) else chunk.encode() for chunk in chunks]
    kept = b"".join(progress.feed(1, chunk) for chunk in data)
    return kept + progress.finish(1), progress.state


def test_bars_are_taken_out_and_the_last_one_is_the_state() -> None:
    bars = "".join(f"\r{i:3d}%|{'#' * (i // 10):<10}| {i}/100 [00:01<00:02]" for i in range(101))

    kept, state = cleaned(bars + "\n", "done\n")

    assert kept == b"done\n"
    assert state == (100, "100/100 [00:01<00:02]")


@pytest.mark.parametrize(
    "bar",
    [
        BAR,
        "\repoch 3:  45%|████▌     | 45/100 [00:12<00:15,  3.60it/s]",
        "\r 45%|#### | 45/100 [00:12<00:15,  3.60it/s, loss=0.5]",
        "\r 45%|#### | 45/100",
        "\r 45%|####      |",
        "\r100%|██████████| 1.00M/1.00M [00:00<00:00, 40.3MB/s]",
        "\r\x1b[32m 45%|\x1b[0m#### | 45/100 [00:12<00:15]",
        "\r12it [00:01, 11.2it/s]",
        "\rload: 12it [00:01, 11.2it/s]",
    ],
)
def test_all_kinds_of_bars_are_known(bar: str) -> None:
    kept, state = cleaned("before\n", bar, bar + "\n", "after\n")

    assert kept == b"before\nafter\n"
    assert state is not None


def test_a_counter_has_no_percentage() -> None:
    assert cleaned("\r12it [00:01, 11.2it/s]")[1] == (None, "12it [00:01, 11.2it/s]")


def test_the_description_is_part_of_the_state() -> None:
    _, state = cleaned("\repoch 3:  45%|####      | 45/100 [00:12<00:15]\n")

    assert state == (45, "epoch 3: 45/100 [00:12<00:15]")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_bars_cut_into_pieces_are_taken_out(size: int) -> None:
    data = (BAR * 5 + "\n" + "loss: 0.5\n").encode()

    kept, state = cleaned(*(data[at : at + size] for at in range(0, len(data), size)))

    assert kept == b"loss: 0.5\n"
    assert state is not None


def test_messages_between_bars_stay() -> None:
    # What tqdm.write does: blanks over the bar, the message, the bar again.
    kept, _ = cleaned(BAR, "\r" + " " * 60 + "\r", "message\n", BAR, "\n")

    assert kept == b"message\n"


def test_text_right_after_a_bar_stays() -> None:
    kept, _ = cleaned(BAR + "loss: 0.5\n")

    assert kept == b"loss: 0.5\n"


def test_nested_bars_leave_nothing() -> None:
    kept, _ = cleaned(BAR, "\n", BAR, "\x1b[A", BAR, "\n\n")

    assert kept.strip() == b""


def test_a_bar_that_is_removed_at_its_end_leaves_nothing() -> None:
    kept, _ = cleaned(BAR, "\r" + " " * 60 + "\r")

    assert kept == b""


@pytest.mark.parametrize(
    "text",
    [
        "loss: 0.5\n",
        "accuracy 45% of 100\n",
        "no end",
        "   ",
        "a\rb\n",
        "\n\n",
        "| a | b |\n",
        "list [1, 2]\n",
        "500%|not a bar\n",
        "Continue? [y/n] ",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cleaned(text) == (text.encode(), None)


def test_a_prompt_is_passed_on_at_once() -> None:
    progress = TqdmProgress(None)

    assert progress.feed(0, b"Name: ") == b"Name: "
    assert progress.feed(0, b"Ann\n") == b"Ann\n"
    assert progress.feed(0, b"Sure? [y] ") == b"Sure? [y] "
    assert progress.feed(0, b"45%|yes\n") == b"45%|yes\n"


def test_what_is_held_back_has_a_limit() -> None:
    progress = TqdmProgress(None)

    assert progress.feed(1, b"\r" + b" " * 100_000) != b""


def test_streams_are_apart() -> None:
    progress = TqdmProgress(None)

    assert progress.feed(1, BAR.encode()) == b""
    assert progress.feed(0, b"hello\n") == b"hello\n"
    assert progress.finish(0) == progress.finish(1) == b""


@given(st.lists(st.text(alphabet="ab \n:.", max_size=20), max_size=10))
def test_text_without_bars_is_never_changed(chunks: list[str]) -> None:
    assert cleaned(*chunks)[0] == "".join(chunks).encode()


@given(st.binary(max_size=300))
def test_any_bytes_are_fine(data: bytes) -> None:
    cleaned(data)


@pytest.mark.parametrize("data", [b"1%|" * 100_000, b"[0:00" * 100_000, b" " * 500_000 + b"|"])
def test_hostile_text_takes_no_time(data: bytes) -> None:
    begun_s = time.process_time()

    cleaned(data, b"\n")

    assert time.process_time() - begun_s < 5


def test_the_bar_is_as_wide_as_the_terminal_at_most() -> None:
    state = ProgressState(50, "50/100 [00:01<00:01]")

    assert ProgressBar("train", 100).render(state).decode() == (
        "train  50% ━━━━━━━━━━━━──────────── 50/100 [00:01<00:01]"
    )
    assert len(ProgressBar("train", 20).render(state).decode()) == 19
    assert len(ProgressBar("train" * 50, 0).render(state)) == 79
    assert ProgressBar("train", 80).render(ProgressState(None, "12it")) == b"train 12it"


def test_the_bar_is_drawn_once_and_erased_once() -> None:
    progress = TqdmProgress(ProgressBar("train", 80))
    assert progress.draw() == progress.erase() == b""

    progress.feed(1, BAR.encode())

    assert progress.draw().startswith(b"\rtrain  45%")
    assert progress.draw() == b""
    assert progress.erase() == b"\r\x1b[K"
    assert progress.erase() == b""
    assert progress.draw() != b""


def test_the_bar_is_not_drawn_more_often_than_the_eye_sees() -> None:
    progress = TqdmProgress(ProgressBar("train", 80))
    progress.feed(1, BAR.encode())
    progress.draw()

    progress.feed(1, BAR.replace("45", "46").encode())

    assert progress.draw() == b""
    assert progress.state is not None
    assert progress.state.percent == 46
