"""Writing files so that a reader never sees half of one: a temporary name in the same folder, then `os.replace`."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping
from pathlib import Path

from .errors import UserError


def explain(error: OSError, path: Path | str) -> UserError:
    """Turn a failed write into one clear sentence."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return UserError(f"The disk is full: '{path}' was not written; free some space or choose another --out.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UserError(f"No permission to write '{path}'; choose another --out.")
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        return UserError(f"'{path}' cannot be written: a file stands where a folder is needed, or the other way round.")
    return UserError(f"'{path}' cannot be written: {error.strerror or error}.")


def check_folder(folder: Path | str) -> Path:
    """Say now, before any work, that nothing could be written into `folder`; the folder itself is not made yet."""
    folder = Path(folder)
    if folder.is_dir():
        nearest = folder
    else:
        if folder.exists() or folder.is_symlink():
            raise UserError(f"--out '{folder}' is a file; give a folder.")
        nearest = next(parent for parent in folder.absolute().parents if parent.exists())
        if not nearest.is_dir():
            raise UserError(f"--out '{folder}' cannot be made: '{nearest}' is a file.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(f"No permission to write into '{nearest}'; choose another --out.")
    return folder


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write all of these files or none: every one lies complete under a temporary name before the first is renamed."""
    import tempfile  # here: `--help` need not wait for what it imports

    waiting: list[tuple[str, Path]] = []
    created: list[Path] = []
    path = Path()
    try:
        for path, data in contents.items():
            missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            created += missing
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
            handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
            waiting.append((temporary, path))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # a full disk must show here, not after the rename
            os.chmod(temporary, 0o666 & ~umask())
        while waiting:
            temporary, path = waiting[0]
            os.replace(temporary, path)
            waiting.pop(0)
    except OSError as error:
        raise explain(error, path) from error
    finally:
        for temporary, _ in waiting:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        if waiting:
            for folder in sorted(created, key=lambda p: len(p.parts), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()


def write_text(path: Path | str, text: str) -> None:
    """Write one UTF-8 text file whole, with \\n line ends everywhere."""
    write_files({Path(path): text.encode("utf-8")})


def umask() -> int:
    """The process's mask of file permissions, which temporary files do not follow by themselves."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
