#!/usr/bin/env python3
"""An outsider's view of the library.

Installs the build tree into an empty prefix. Builds README's CMake block and the counter in a folder outside of the source
tree, with find_package(troupe), with pkg-config and with add_subdirectory. Then runs three counters, kills the one that
leads, and checks that the others go on.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import run

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tools/lib"))
from cluster import Failure, free_ports, wait_for  # noqa: E402
PATIENCE = 30  # in seconds; every wait normally takes about one


def flags_of_pkg_config(prefix, *what):
    folders = [str(found.parent) for found in prefix.rglob("troupe.pc")]
    env = dict(os.environ, PKG_CONFIG_PATH=":".join(folders))
    return run("pkg-config", *what, "troupe", env=env).split()


def block_of_readme(language):
    """The one block of this language in README.md."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", (SOURCE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    if len(blocks) != 1:
        sys.exit(f"README.md has {len(blocks)} blocks of {language}")
    return blocks[0]


def write_project(folder):
    """README's block as a project, with the quickstart as the program; and the counter."""
    block = block_of_readme("cmake")
    within = "if(TROUPE_SOURCE)\n  add_subdirectory(${TROUPE_SOURCE} troupe)\nelse()\n  find_package(troupe REQUIRED)\nendif()"
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(f"""cmake_minimum_required(VERSION 3.25)
project(outsider LANGUAGES CXX)
{re.sub("^find_package.*$", within, block, count=1, flags=re.MULTILINE)}
add_executable(counter counter.cpp)
target_link_libraries(counter PRIVATE troupe::troupe)
""")
    shutil.copy(SOURCE / "examples/quickstart/quickstart.cpp", folder / "my_service.cpp")
    shutil.copy(SOURCE / "examples/counter/counter.cpp", folder)
    (folder / "examples").mkdir()  # a helper of the examples
    shutil.copy(SOURCE / "examples/port_of.hpp", folder / "examples")


class Counter:
    """A running counter process, with its output and its log in files."""

    def __init__(self, program, port, folder, discovery):
        self.output = folder / f"counter-{port}.out"
        self.log = folder / f"counter-{port}.log"
        self.process = subprocess.Popen([program, str(port), folder / f"data-{port}", discovery],
                                        stdin=subprocess.DEVNULL, stdout=self.output.open("wb"), stderr=self.log.open("wb"))

    def counts(self):
        return [int(line) for line in self.output.read_text().splitlines() if re.fullmatch(r"\d+", line)]

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(PATIENCE)


def wait_until(condition, what, counters):
    """Waits for the condition; ends the test with the counters' logs if that takes too long."""
    try:
        wait_for(what, PATIENCE, condition)
    except Failure as failure:
        logs = "\n".join(f"--- {c.log.name}\n{c.log.read_text()[-3000:]}{c.output.read_text()[-500:]}" for c in counters)
        sys.exit(f"{failure}\n{logs}")


def leader_of(counters):
    """The process that leads, as the newest line about it in the first log says."""
    leaders = re.findall(r"node (\w{16})\b.* leads in term", counters[0].log.read_text())
    if not leaders:
        sys.exit(f"no leader in the log:\n{counters[0].log.read_text()}")
    return next(c for c in counters if f": node {leaders[-1]} listens at" in c.log.read_text())


def exercise(program, folder):
    """Three counters count on after the one that leads was killed, and end at SIGTERM."""
    folder.mkdir()
    ports = free_ports(3)
    discovery = "static:" + ",".join(f"127.0.0.1:{port}" for port in ports)
    counters = [Counter(program, port, folder, discovery) for port in ports]
    try:
        wait_until(lambda: all(c.counts() for c in counters), "three nodes count", counters)
        victim = leader_of(counters)
        others = [c for c in counters if c is not victim]
        victim.end(signal.SIGKILL)
        before = max(count for c in counters for count in c.counts())
        wait_until(lambda: all(c.counts()[-1] > before + 1 for c in others), "two of three nodes continue to count", counters)
        for counter in others:
            if (code := counter.end()) != 0:
                sys.exit(f"a counter ended with {code}:\n{counter.log.read_text()[-3000:]}")
        seen = sorted(count for c in counters for count in c.counts())
        if len(seen) != len(set(seen)):
            sys.exit(f"a number was counted twice: {seen}")
    finally:
        for counter in counters:
            counter.end(signal.SIGKILL)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path, help="the build tree to install")
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--caf", default="", help="the prefix of the CAF that the library was built with, if not the system's")
    parser.add_argument("--flags", default="", help="compile flags that the library was built with, such as sanitizers")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="troupe-outsider-") as name:
        folder = Path(name)
        prefix, outside = folder / "prefix", folder / "outside"
        run(asked.cmake, "--install", asked.build, "--prefix", prefix)
        write_project(outside)
        configure = [asked.cmake, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={asked.compiler}",
                     f"-DCMAKE_CXX_FLAGS={asked.flags} -I{outside}", "-S", outside]
        if asked.caf:
            configure.append(f"-DCAF_ROOT={asked.caf}")
        run(*configure, "-B", outside / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
        run(asked.cmake, "--build", outside / "build")
        by_pkg_config = folder / "counter"
        run(asked.compiler, *asked.flags.split(), *flags_of_pkg_config(prefix, "--cflags"), f"-I{outside}",
            outside / "counter.cpp", "-o", by_pkg_config, *flags_of_pkg_config(prefix, "--libs"))
        # As a part of another project: what it needs to compile a program of its own.
        run(*configure, "-B", outside / "within", f"-DTROUPE_SOURCE={SOURCE}")
        run(asked.cmake, "--build", outside / "within", "--target", "CMakeFiles/my_service.dir/my_service.cpp.o")
        quickstart = outside / "build/my_service"
        answer = run(quickstart, folder / "one", str(free_ports(1)[0]))
        if "wrote revision" not in answer:
            sys.exit(f"the quickstart said:\n{answer}")
        exercise(outside / "build/counter", folder / "a")
        exercise(by_pkg_config, folder / "b")
        for program in ("troupe-log", "troupe-backup", "troupe-server"):
            if not re.search(r"\d+\.\d+\.\d+", run(prefix / "bin" / program, "--version")):
                sys.exit(f"{program} --version shows no version")
    print("outsider: ok")


if __name__ == "__main__":
    main()
