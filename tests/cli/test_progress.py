"""Progress in a file: a line a minute, and none of what takes less."""

from promptkit.cli.progress import Lines, Watch
from promptkit.protocols import Step


def test_a_line_a_minute_says_how_far_it_has_come():
    seconds, lines = [0.0], []
    watch = Watch("m", Lines(lambda: seconds[0], lines.append))
    for done in range(1, 6):
        seconds[0] += 25
        watch.on_step(Step(done, 1200, 0.5, None))
    assert lines == ["m: learning, loss 0.500: 3 of 1,200 steps"]
    seconds[0] += 60
    watch.on_progress(7, None)
    assert lines[1:] == ["m: 7 rows"]
