"""What the tests of the installed library and of its packages share."""

import subprocess
import sys


def run(*command, env=None):
    """Runs a command and returns its output. Ends the test with the output if the command fails."""
    done = subprocess.run([str(part) for part in command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(part) for part in command)}\nfailed with {done.returncode}:\n{done.stdout}")
    return done.stdout
