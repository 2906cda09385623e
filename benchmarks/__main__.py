"""`make bench`: the builds of the real feeds, then our planner beside its peer."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMANDS = (["builds.py"], ["peers.py", "--ratios"])


def main() -> int:
    """Run every measurement; the status is that of the worst."""
    runs = (subprocess.run([sys.executable, HERE / c[0], *c[1:]], check=False) for c in COMMANDS)
    return max(run.returncode for run in runs)


if __name__ == "__main__":
    sys.exit(main())
