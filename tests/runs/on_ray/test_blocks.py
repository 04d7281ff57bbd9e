"""A finished block is there whole or not at all; one that ends its workers is known."""

import pytest

from promptkit.errors import StoreError
from promptkit.runs.on_ray.blocks import Blocks, Head

HEAD = Head(2, {"'text' is empty": 1}, 0, "d", "k", 5)


@pytest.fixture
def blocks(tmp_path):
    made = Blocks(tmp_path)
    assert made.begin() == {}
    return made


def test_what_is_put_is_found_again(blocks, tmp_path):
    blocks.put(0, HEAD, b"a\n\nb\n")
    blocks.put(123_456, HEAD, b"other")
    blocks.put(0, HEAD, b"a\n\nb\n")  # by a second worker
    assert Blocks(tmp_path).begin() == {0: HEAD, 123_456: HEAD}
    head, file = blocks.open(0)
    with file:
        assert (head, file.read()) == (HEAD, b"a\n\nb\n")


def test_what_a_killed_worker_left_is_swept_up(blocks, tmp_path):
    blocks.put(7, HEAD, b"12345")
    (half,) = (tmp_path / "blocks").glob("*/*")
    half.rename(half.with_name(f"{half.name}.host-1"))
    assert blocks.none()
    assert blocks.begin() == {}
    assert not list((tmp_path / "blocks").glob("*/*"))


@pytest.mark.parametrize("content", [b"", b"{}\n", b"no json\n", b'{"rows": 1}\nabc'])
def test_a_spoilt_block_is_one_line(blocks, tmp_path, content):
    blocks.put(7, HEAD, b"12345")
    (file,) = (tmp_path / "blocks").glob("*/*")
    file.write_bytes(content)
    with pytest.raises(StoreError, match="delete it, and run the same command again"):
        blocks.open(7)


def test_a_block_cut_short_is_one_line(blocks, tmp_path):
    blocks.put(7, HEAD, b"123")
    with pytest.raises(StoreError, match="cut short"):
        Blocks(tmp_path).begin()


def test_tries_are_counted_until_the_block_is_finished(blocks):
    assert [blocks.tried(3) for _ in range(3)] == [1, 2, 3]
    assert blocks.tried(4) == 1
    blocks.put(3, HEAD, b"12345")
    assert blocks.tried(3) == 1
    assert [blocks.loading(), blocks.loading()] == [1, 2]
    blocks.loaded()
    assert blocks.loading() == 1
    blocks.begin()
    assert blocks.tried(4) == 1
