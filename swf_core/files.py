"""Writing files so that a reader never sees half of one: a temporary name in the same folder, then `os.replace`."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from .errors import UserError

LONGEST_NAME = 255  # bytes (on Windows UTF-16 units), where the file system does not say


def explain(error: OSError, path: Path | str) -> UserError:
    """Turn a failed read or write into one clear sentence."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return UserError(f"The disk is full: '{path}' was not written; free some space or choose another folder.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UserError(f"No permission to write '{path}'; choose another folder.")
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        return UserError(f"'{path}' cannot be written: a file stands where a folder is needed, or the other way round.")
    if error.errno == errno.ENAMETOOLONG:
        return UserError(f"{_shortened(path)} is longer than the file system takes; give a shorter name.")
    if error.errno == errno.ELOOP:
        return UserError(f"'{path}' is a link that leads back to itself; give the file that is meant.")
    return UserError(f"'{path}' cannot be written: {error.strerror or error}.")


def check_folder(folder: Path | str, option: str = "--out") -> Path:
    """Say now, before any work, that nothing could be written into `folder`; the folder itself is not made yet.

    `option`: by which option the folder was given.
    """
    folder = Path(folder)
    try:
        if os.path.lexists(folder) and not folder.is_dir():
            if folder.is_symlink():
                raise UserError(f"{option} '{folder}' is a link that leads to no folder; give a folder.")
            raise UserError(f"{option} '{folder}' is a file; give a folder.")
        missing = [place for place in (folder, *folder.absolute().parents) if not os.path.lexists(place)]
        nearest = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
        if not nearest.is_dir():
            raise UserError(f"{option} '{folder}' cannot be made: '{nearest}' is a file.")
        for place in missing:
            _check_name(place, nearest, option)
        os.lstat(folder)  # says of a path as a whole that it is too long
    except FileNotFoundError:
        pass
    except OSError as error:
        raise explain(error, folder) from error
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(f"No permission to write into '{nearest}'; choose another {option}.")
    return folder


def check_file(path: Path | str, option: str = "--out") -> Path:
    """Say now, before any work, that the file `path` could not be written; nothing is made yet."""
    path = Path(path)
    check_folder(path.parent, option)
    nearest = next(place for place in path.absolute().parents if os.path.lexists(place))
    _check_name(path, nearest, option)
    if os.path.isdir(path):
        raise UserError(f"'{path}' is a folder, and a file of that name is to be written; choose another {option}.")
    return path


def _check_name(path: Path, nearest: Path, option: str) -> None:
    """Refuse the last part of a path when the file system of `nearest` takes no name of that length."""
    name, longest = path.name, LONGEST_NAME
    with contextlib.suppress(OSError, ValueError, AttributeError):
        longest = os.pathconf(nearest, "PC_NAME_MAX")  # AttributeError: Windows has no such call
    length = len(name.encode("utf-16-le")) // 2 if sys.platform == "win32" else len(os.fsencode(name))
    if length > longest:
        raise UserError(
            f"{_shortened(name)} would be a name of {length} bytes, and the file system takes {longest}; give shorter "
            f"file names, or another {option}."
        )


def _shortened(path: Path | str) -> str:
    text = str(path)
    return f"'{text}'" if len(text) <= 80 else f"'{text[:40]}...{text[-30:]}'"


def make_folders(folder: Path, created: list[Path]) -> None:
    """Make a folder and those above it; what was made is added to `created` one by one, so that whoever fails at the
    third can take the first two away again."""
    for place in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        with contextlib.suppress(FileExistsError):  # another process was quicker
            place.mkdir()
            created.append(place)


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write all of these files or none: every one lies complete under a temporary name before the first is renamed."""
    import tempfile  # here: `--help` need not wait for what it imports

    waiting: list[tuple[str, Path]] = []
    created: list[Path] = []
    path, done = Path(), False
    try:
        for path, data in contents.items():
            make_folders(path.parent, created)
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
        done = True
    except OSError as error:
        raise explain(error, path) from error
    finally:
        for temporary, _ in waiting:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        if not done:
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
