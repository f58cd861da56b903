"""Runs clang-tidy on each source file by itself, and remembers which files were clean.

A file without findings gets a stamp in build/tidy/clean. The stamp is a hash of all that clang-tidy saw: its settings, the
compiler's arguments, the file, the project's headers that it includes directly or indirectly, and the versions of the
packages with other headers. A file whose stamp still holds is not checked again.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from style_rules import CPP, Problem

# The preset compiles each file by itself, with clang, and without precompiled headers, which clang-tidy cannot read.
PRESET = "tidy"
BUILD = f"build/{PRESET}"

# What the quick part always checks: files without dependencies, at about two seconds each.
QUICK_FOLDER = "raft/base/"
# How many changed files the quick part checks at most. A file that includes CAF takes half a minute.
QUICK_CHANGED = 8


def output(root, *command):
    """What a command prints, or nothing if it is missing or fails."""
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def tidy_one(root, path, arguments):
    """Returns clang-tidy's findings in one source file and in the project's headers that it includes."""
    result = subprocess.run(["clang-tidy", "--quiet", path, "--", *arguments], cwd=root, capture_output=True, text=True, check=False)
    found = re.findall(r"^(/.+?):(\d+):\d+: (?:warning|error): (.*)$", result.stdout, re.MULTILINE)
    problems = {Problem(os.path.relpath(file, root), int(line), message) for file, line, message in found}
    if result.returncode != 0 and not problems:
        problems.add(Problem(path, 1, f"clang-tidy failed: {result.stderr.strip()}"))
    return problems


def arguments_of(entry):
    """The compiler's arguments in an entry of a compilation database, without the files that it names."""
    words = shlex.split(entry["command"])[1:]
    return [word for before, word in zip(["", *words], words) if before not in ("-o", "-c") and word not in ("-o", "-c")]


def read_database(root, entries):
    """The arguments for each file of the project. A file in several targets is checked once, as in the first of them."""
    found = {}
    for entry in entries:
        found.setdefault(os.path.relpath(os.path.join(entry["directory"], entry["file"]), root), arguments_of(entry))
    return found


def unchecked(sources, database, includes):
    """One problem for each of these files that no run of clang-tidy reads. It must not skip a file silently."""
    compiled = [path for path in sources if path in database]
    if not compiled:
        return [Problem("CMakePresets.json", 1, f"clang-tidy has no file to check: {BUILD}/compile_commands.json has none of them")]
    read = set().union(*(includes.of(path) for path in compiled))
    return [Problem(path, 1, f"clang-tidy does not check this file: no target of the preset {PRESET} compiles or includes it")
            for path in sources if path not in read]


class Includes:
    """The files of the project that a file includes, by the text of its #include lines.

    That is more than a preprocessor would find, and needs none: an #include names a file from the project's root, or a
    public header, and other headers are part of the installed packages.
    """

    LINE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<(troupe/[^>\n]+)>)', re.MULTILINE)

    def __init__(self, root):
        self.root = Path(root)
        self.read = {}  # path -> (hash of the text, included paths)

    def file(self, path):
        if path not in self.read:
            file = self.root / path
            text = file.read_bytes() if file.is_file() else b""
            direct = [quoted or f"include/{public}" for quoted, public in self.LINE.findall(text.decode("utf-8", "replace"))]
            self.read[path] = (hashlib.sha256(text).hexdigest(), direct)
        return self.read[path]

    def of(self, path):
        """The file itself and all that it includes, directly or indirectly."""
        found, waiting = set(), [path]
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting += self.file(path)[1]
        return found


class Stamps:
    """Which files were clean when they were checked last."""

    def __init__(self, root, includes):
        self.root, self.includes = Path(root), includes
        self.folder = self.root / BUILD / "clean"
        self.common = [output(root, "clang-tidy", "--version"), output(root, "dpkg-query", "--show", "*-dev", "catch2")]

    def key(self, path, arguments):
        settings = [self.root / folder / ".clang-tidy" for folder in Path(path).parents]
        settings = [file.read_text(encoding="utf-8") for file in settings if file.is_file()]
        seen = [f"{name} {self.includes.file(name)[0]}" for name in sorted(self.includes.of(path))]
        flags = [argument.replace(str(self.root), "") for argument in arguments]
        return hashlib.sha256("\n".join([*self.common, *settings, *flags, *seen]).encode()).hexdigest()

    def holds(self, path, key):
        stamp = self.folder / path
        return stamp.is_file() and stamp.read_text(encoding="utf-8") == key

    def put(self, path, key):
        stamp = self.folder / path
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(key, encoding="utf-8")


def source_of(path, sources, includes):
    """The source file through which a file is checked: itself, the one of the same name, or one that includes least besides it."""
    own = str(Path(path).with_suffix(".cpp"))
    users = [own] if own in sources else [source for source in sources if path in includes.of(source)]
    return min(users, key=lambda source: len(includes.of(source)), default=path)


def changed(root):
    """The C++ files that differ from the last commit."""
    names = output(root, "git", "ls-files", "-z", "--others", "--exclude-standard") + output(root, "git", "diff", "-z", "--name-only", "HEAD")
    return {name for name in names.split("\0") if Path(name).suffix in CPP}


def quick_part(root, sources, includes):
    """The sources that the quick part checks."""
    always = [path for path in sources if path.startswith(QUICK_FOLDER)]
    modified = {source_of(path, sources, includes) for path in changed(root)}
    modified = [path for path in sources if path in modified and path not in always]
    if len(modified) > QUICK_CHANGED:
        print(f"clang-tidy: {len(modified)} files are changed; all but {QUICK_CHANGED} are left to tools/check", flush=True)
    return always + modified[:QUICK_CHANGED]


def self_test(root):
    """Returns one line for each failure, with files that it writes below the empty folder `root`."""
    root, wrong = Path(root), []
    (root / "bad.cpp").write_text("// Bad.\nint  BadName(int x) {\n  if (x);\n    return 1; return 0; }\n")
    (root / "good.cpp").write_text("// Good.\nint good_name() { return 1; }\n")
    for name, expected in (("good.cpp", []), ("bad.cpp", [2, 3])):
        found = sorted(tidy_one(root, name, []))
        if [problem.line for problem in found] != expected:
            wrong.append(f"clang-tidy: expected lines {expected} of {name}, found {[str(problem) for problem in found]}")

    (root / "user.cpp").write_text('#include "used.hpp"\n')
    (root / "used.hpp").write_text('#include "below.hpp"\n')
    (root / "below.hpp").write_text("int old_name();\n")
    (root / "alone.hpp").write_text("\n")
    sources = ["alone.hpp", "below.hpp", "good.cpp", "used.hpp", "user.cpp"]
    entry = {"directory": str(root), "file": "user.cpp", "command": "c++ -I. -o user.o -c user.cpp"}
    for database, expected in (([entry], ["alone.hpp", "good.cpp"]), ([{**entry, "file": "batch.cxx"}], ["CMakePresets.json"])):
        found = [problem.path for problem in unchecked(sources, read_database(root, database), Includes(root))]
        if found != expected:
            wrong.append(f"clang-tidy: expected as not checked: {expected}, found {found}")
    if arguments_of(entry) != ["-I."]:
        wrong.append(f"clang-tidy: expected the argument -I. from the database, found {arguments_of(entry)}")

    def key():
        return Stamps(root, Includes(root)).key("user.cpp", [])
    keys = [key(), key()]
    (root / "below.hpp").write_text("int new_name();\n")
    keys.append(key())
    (root / ".clang-tidy").write_text("Checks: '-*'\n")
    keys.append(key())
    if keys[0] != keys[1] or len(set(keys)) != 3:
        wrong.append("clang-tidy: a stamp must change exactly with a header that the file includes and with the settings")
    return wrong


def run(root, files, chosen=None, quick=False, jobs=None):
    """Returns clang-tidy's findings, without duplicates, in the C++ files `chosen` (default: all) of the project's C++ `files`."""
    if not shutil.which("clang-tidy") or not shutil.which("clang++"):
        return [Problem("tools/setup", 1, "clang-tidy or clang++ is missing; tools/setup --tidy installs them")]
    configured = subprocess.run(["cmake", "--preset", PRESET, "--log-level=WARNING"], cwd=root, check=False, capture_output=True, text=True)
    if configured.returncode != 0:
        return [Problem("CMakeLists.txt", 1, f"clang-tidy needs the preset {PRESET}: {configured.stderr.strip()}")]
    database = read_database(root, json.loads((root / BUILD / "compile_commands.json").read_text(encoding="utf-8")))
    includes = Includes(root)
    problems = set(unchecked(files, database, includes))

    sources = [path for path in files if path in database]
    if chosen is not None:
        wanted = {source_of(path, sources, includes) for path in chosen}
        sources = [path for path in sources if path in wanted]
    elif quick:
        sources = quick_part(root, sources, includes)
    stamps = Stamps(root, includes)
    keys = {path: stamps.key(path, database[path]) for path in sources}
    stale = [path for path in sources if not stamps.holds(path, keys[path])]
    print(f"clang-tidy: {len(sources)} files, of which {len(sources) - len(stale)} are unchanged and were clean", flush=True)

    def check(path):
        found = tidy_one(root, path, database[path])
        if not found:
            stamps.put(path, keys[path])
        return found

    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        for done, (path, found) in enumerate(zip(stale, pool.map(check, stale)), 1):
            print(f"clang-tidy {done}/{len(stale)} {path}{': findings' if found else ''}", flush=True)
            problems |= found
    return sorted(problems)
