"""Checks the project's style: formatting, include direction, bans, sizes, wording, clang-tidy, and the API reference."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import style_rules
import style_selftest
import tidy
from style_rules import Problem

ROOT = Path(__file__).resolve().parent.parent.parent

SKIPPED_FOLDERS = {".git", ".cache", "build", "__pycache__"}


def project_files():
    """All files that git tracks or does not ignore; without git, all files outside SKIPPED_FOLDERS."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=False) if (ROOT / ".git").exists() else None
    if listed is not None and listed.returncode == 0:
        paths = [path for path in listed.stdout.split("\0") if path]
    else:
        paths = []
        for folder, folders, names in os.walk(ROOT):
            folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
            paths += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return sorted(path for path in set(paths) if (ROOT / path).is_file() and not (ROOT / path).is_symlink())


def clang_format(root, sources, fix=False):
    """Returns one problem for each file that clang-format would change. With `fix`, it changes the files instead."""
    if not sources:
        return []
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    result = subprocess.run(["clang-format", "--style=file", *mode, *sources], cwd=root, capture_output=True, text=True, check=False)
    places = {}
    for path, line in re.findall(r"^(.+?):(\d+):\d+: error: code should be clang-formatted", result.stderr, re.MULTILINE):
        places.setdefault(path, []).append(int(line))
    if result.returncode != 0 and not places:
        return [Problem("clang-format", 0, result.stderr.strip())]
    return [Problem(path, lines[0], f"clang-format differs in {len(lines)} places; tools/check --fix formats it")
            for path, lines in sorted(places.items())]


def api_reference(root):
    """Builds the API reference of the public headers under `root`, and returns Doxygen's warnings."""
    settings = (ROOT / "docs/Doxyfile").read_text(encoding="utf-8")
    result = subprocess.run(["doxygen", "-"], cwd=root, input=settings, capture_output=True, text=True, check=False)
    found = re.findall(r"^(/.+?):(\d+): (?:warning|error): (.*)$", result.stderr, re.MULTILINE)
    problems = {Problem(os.path.relpath(file, root), int(line), f"doxygen: {message}") for file, line, message in found}
    if result.returncode != 0 and not problems:
        problems.add(Problem("docs/Doxyfile", 1, f"doxygen failed: {result.stderr.strip()}"))
    return sorted(problems)


def self_test(quick):
    wrong = style_selftest.run()
    with tempfile.TemporaryDirectory(prefix="troupe-check-") as root:
        shutil.copy(ROOT / ".clang-format", root)
        Path(root, "bad.cpp").write_text("// Bad.\nint  bad_name() { return 1; }\n")
        Path(root, "good.cpp").write_text("// Good.\nint good_name() { return 1; }\n")
        found = clang_format(root, ["bad.cpp", "good.cpp"])
        if [(problem.path, problem.line) for problem in found] != [("bad.cpp", 2)]:
            wrong.append(f"clang-format: expected bad.cpp:2, found {[str(problem) for problem in found]}")
        if not quick:
            Path(root, "include/troupe").mkdir(parents=True)
            Path(root, "build").mkdir()
            Path(root, "include/troupe/good.hpp").write_text("// Good.\n#pragma once\n/// Returns one.\nint good_name();\n")
            Path(root, "include/troupe/bad.hpp").write_text("// Bad.\n#pragma once\n/// See \\nothing.\nint bad_name();\n")
            found = api_reference(root)
            if [(problem.path, problem.line) for problem in found] != [("include/troupe/bad.hpp", 3)]:
                wrong.append(f"doxygen: expected include/troupe/bad.hpp:3, found {[str(problem) for problem in found]}")
    with tempfile.TemporaryDirectory(prefix="troupe-check-") as root:
        shutil.copy(ROOT / ".clang-tidy", root)
        wrong += tidy.self_test(root)
    print("\n".join(wrong or ["check --self-test: ok"]))
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(prog="tools/check", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="check only these files, by clang-tidy too (default: the project)")
    parser.add_argument("--quick", action="store_true", help="skip the API reference, and most files for clang-tidy")
    parser.add_argument("--fix", action="store_true", help="first format the files with clang-format")
    parser.add_argument("--jobs", type=int, help="how many files clang-tidy checks at a time (default: one for each processor)")
    parser.add_argument("--self-test", action="store_true", help="only prove that each rule reports a bad file")
    options = parser.parse_args()

    if options.self_test:
        return self_test(options.quick)

    project = project_files()
    files = project
    if options.files:
        named = {os.path.relpath(os.path.abspath(path), ROOT) for path in options.files}
        files = [path for path in project if path in named]
        if named.difference(files):
            parser.error(f"not files of the project: {' '.join(sorted(named.difference(files)))}")
    sources = [path for path in files if Path(path).suffix in style_rules.CPP]
    if options.fix:
        clang_format(ROOT, sources, fix=True)
    problems = clang_format(ROOT, sources) + style_rules.check(ROOT, files)
    if sources:
        everything = [path for path in project if Path(path).suffix in style_rules.CPP]
        problems += tidy.run(ROOT, everything, sources if options.files else None, options.quick, options.jobs)
    if not options.quick and not options.files:
        problems += api_reference(ROOT)

    for problem in problems:
        print(problem)
    errors = sum(not problem.warning for problem in problems)
    print(f"check: {errors} problems" if errors else f"check: ok ({len(files)} files)")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
