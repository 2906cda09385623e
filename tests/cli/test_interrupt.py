"""An interrupted build says so by its exit status and leaves nothing behind."""

import os
import signal
import subprocess
import sys

WAIT_S = 60
# The signal comes when the finished edition is to take its place: nothing depends on timing.
PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from mobility.cli import main
real = os.rename
def interrupted(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGINT)
    return real(*args, **kwargs)
os.rename = interrupted
sys.argv = ["mobility", "build", sys.argv[1], "-o", sys.argv[2]]
sys.exit(main())
"""


def test_an_interrupted_build_exits_130_and_leaves_nothing(tmp_path, project_root):
    target = tmp_path / "out" / "made.edition"
    target.parent.mkdir()
    source = project_root / "feeds" / "basel" / "fr-regio.zip"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(source), str(target)],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
        env={**os.environ, "MOBILITY_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGINT, done.stderr
    assert "Traceback" not in done.stderr
    assert list(target.parent.iterdir()) == []
