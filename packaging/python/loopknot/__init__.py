"""loopknot: says what is wrong with a hung, threaded Python server, from outside.

    >>> import loopknot
    >>> report = loopknot.examine(4711)
    >>> report["verdict"]
    'deadlock'

Each call runs the program that came with this package; nothing is loaded into the calling process. The report is described by
the schema loopknot.report/1 (loopknot.report-set/1 where a tree is examined).
"""
import json
import os
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, Dict, Optional, Sequence, Union

__all__ = ["NoReport", "Report", "capture", "examine", "program"]

Report = Dict[str, Any]
_REPORTED = (0, 1, 4)  # nothing found, found, unknown


class NoReport(RuntimeError):
    """There is no report: no such process, no permission, or wrong usage. The message says why and how to mend it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def program() -> str:
    """The path of the program: $LOOPKNOT, the one that was installed with this module, or the first in $PATH."""
    given = os.environ.get("LOOPKNOT")
    if given:
        return given
    try:
        for file in distribution("loopknot").files or ():
            path = os.path.abspath(str(file.locate()))
            if file.name == "loopknot" and os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    except PackageNotFoundError:
        pass
    found = shutil.which("loopknot")
    if not found:
        raise FileNotFoundError("the program loopknot is neither beside its module nor in PATH")
    return found


def examine(pid: int, *, options: Sequence[str] = (), timeout: Optional[float] = None) -> Report:
    """Examines a live process and gives the JSON report.

    options are the program's own ("--tree", "--samples", "5"). Raises NoReport where there is none, subprocess.TimeoutExpired
    after timeout seconds.
    """
    ran = subprocess.run([program(), "attach", "--format", "json", *options, str(int(pid))], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    if ran.returncode not in _REPORTED:
        raise NoReport(ran.returncode, ran.stderr.decode(errors="replace").strip())
    report: Report = json.loads(ran.stdout)
    return report


def capture(pid: int, file: Union[str, "os.PathLike[str]"], *, options: Sequence[str] = (), timeout: Optional[float] = None) -> None:
    """Writes what is read of a process into a file, for `loopknot analyze`; raises as examine() does."""
    ran = subprocess.run([program(), "capture", *options, str(int(pid)), "-o", os.fspath(file)], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=timeout)
    if ran.returncode:
        raise NoReport(ran.returncode, ran.stderr.decode(errors="replace").strip())
