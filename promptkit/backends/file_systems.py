"""Whether a folder lies on a disk of this machine: locks of files do not hold everywhere.

SQLite keeps two writers apart by locks and by memory that they share. On a network file system
neither can be relied on, and the file is damaged sooner or later (see sqlite.org/wal.html).
"""

from __future__ import annotations

import re
from pathlib import Path

#: File systems that lie on another machine, or between two systems (9p: Windows drives in WSL).
NETWORK = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre",
        "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "vboxsf",
        "virtiofs", "wekafs",
        "fuse.ceph-fuse", "fuse.cifs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys",
        "fuse.juicefs", "fuse.nfs", "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs",
    }
)  # fmt: skip
_MOUNTS = Path("/proc/mounts")


def network_file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """The network file system that a folder lies on, such as ``nfs4``; None for a disk.

    Args:
        folder: It need not exist yet.
        mounts: What is mounted where; a system without such a file is not looked at.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place, found = folder.resolve(), ("", "")
    for line in lines:
        _, where, kind, *_ = line.split(" ")
        where = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), where)
        # what is mounted later lies above what was mounted in the same place before
        if place.is_relative_to(where) and len(where) >= len(found[0]):
            found = where, kind
    return found[1] if found[1] in NETWORK else None
