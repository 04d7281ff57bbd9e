"""Where a folder lies is read from the table of mounts."""

import pytest

from promptkit.backends.file_systems import network_file_system


@pytest.fixture
def mounts(tmp_path):
    shared = str(tmp_path / "with space").replace(" ", "\\040")
    file = tmp_path / "mounts"
    file.write_text(
        f"/dev/vda / ext4 rw 0 0\nproc /proc proc rw 0 0\nserver:/x {shared} nfs4 rw 0 0\n"
        f"/dev/vdb {shared}/local ext4 rw 0 0\nsshfs {tmp_path}/far fuse.sshfs rw 0 0\n"
        f"old {tmp_path}/twice nfs rw 0 0\n/dev/vdc {tmp_path}/twice xfs rw 0 0\n"
    )
    return file


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        (".", None),
        ("with space", "nfs4"),
        ("with space/not/there/yet", "nfs4"),
        ("with spaces", None),
        ("with space/local", None),
        ("far/away", "fuse.sshfs"),
        ("twice", None),
    ],
)
def test_the_innermost_mount_says_what_a_folder_lies_on(tmp_path, mounts, folder, kind):
    assert network_file_system(tmp_path / folder, mounts) == kind


def test_a_link_lies_where_it_points(tmp_path, mounts):
    (tmp_path / "with space").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "with space")
    assert network_file_system(tmp_path / "link" / "cache", mounts) == "nfs4"


def test_a_system_without_a_table_of_mounts_is_not_looked_at(tmp_path):
    assert network_file_system(tmp_path, tmp_path / "absent") is None
