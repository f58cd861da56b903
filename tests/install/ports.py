#!/usr/bin/env python3
"""The files for vcpkg, Conan and Fedora, as far as they can be checked without these tools: syntax, versions, file lists."""

import argparse
import ast
import fnmatch
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from commands import run

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"

# vcpkg's functions for port files. They print what they are called with.
VCPKG_FUNCTIONS = """
foreach(name vcpkg_check_linkage vcpkg_cmake_configure vcpkg_cmake_install vcpkg_cmake_config_fixup vcpkg_fixup_pkgconfig
    vcpkg_install_copyright)
  cmake_language(EVAL CODE "function(${name})\\nmessage(\\"${name} \\${ARGV}\\")\\nendfunction()")
endforeach()
set(PORT troupe)
set(CURRENT_PACKAGES_DIR "${PACKAGES}")
include("${PORTFILE}")
"""

# The macros of Fedora that the spec's lists of files use.
MACROS = {"_bindir": "/usr/bin", "_libdir": "/usr/lib64", "_includedir": "/usr/include", "_unitdir": "/usr/lib/systemd/system",
          "_sysconfdir": "/etc", "_sysusersdir": "/usr/lib/sysusers.d"}


def expect(condition, what):
    if not condition:
        sys.exit(what)


def version_of_project():
    return re.search(r"project\(troupe VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]


def check_vcpkg(folder, cmake):
    port = PACKAGING / "vcpkg/ports/troupe"
    manifest = json.loads((port / "vcpkg.json").read_text())
    expect(manifest["version-semver"] == version_of_project(), "vcpkg.json has another version than CMakeLists.txt")
    script = folder / "vcpkg.cmake"
    script.write_text(VCPKG_FUNCTIONS)
    said = run(cmake, f"-DPORTFILE={port / 'portfile.cmake'}", f"-DPACKAGES={folder / 'packages'}", "-P", script)
    configured = re.search(r"vcpkg_cmake_configure (.*)", said)
    expect(configured and str(ROOT) in configured[1], f"the port does not configure {ROOT}: {said}")
    options = (ROOT / "CMakeLists.txt").read_text()
    for option in re.findall(r"-D(TROUPE_\w+)=", configured[1]):
        expect(f"option({option} " in options, f"the port sets {option}, which is no option")
    expect((folder / "packages/share/troupe/usage").is_file(), "the port does not install its usage text")


def check_conan():
    recipe = PACKAGING / "conan/conanfile.py"
    tree = ast.parse(recipe.read_text(), recipe)
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    expect({"set_version", "export_sources", "requirements", "build", "package"} <= names, f"the recipe has only {names}")
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    for folder in ("raft", "services", "discovery", "actors", "runtime", "include", "cmake"):
        expect(f"{folder}/*" in strings, f"the recipe does not export {folder}/")


def listed(spec):
    """The patterns of the spec's lists of files."""
    # A list ends at the next section; directives like %dir begin lines of the list itself.
    patterns = []
    section = None
    for line in spec.splitlines():
        if re.match(r"%(prep|build|install|pre|post|preun|postun|package|description|changelog)\b", line):
            section = None
        elif line.startswith("%files"):
            section = "files"
        elif section and line and not line.startswith(("%license", "%doc", "%dir")):
            line = re.sub(r"^%config\(noreplace\) ", "", line)
            patterns.append(re.sub(r"%\{(\w+)\}", lambda macro: MACROS[macro[1]], line))
    return patterns


def check_fedora(folder, build, cmake):
    spec = (PACKAGING / "fedora/troupe.spec").read_text()
    expect(f"\nVersion:        {version_of_project()}\n" in spec, "troupe.spec has another version than CMakeLists.txt")
    root = folder / "root"
    for component in ("runtime", "service", "dev"):
        run(cmake, "--install", build, "--prefix", "/usr", "--component", component, env={**os.environ, "DESTDIR": str(root)})
    libdir = Path(MACROS["_libdir"]).name
    installed = {"/" + str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    installed = {re.sub(r"^/usr/lib/(?=lib|cmake|pkgconfig)", f"/usr/{libdir}/", path) for path in installed}
    installed = {path for path in installed if not path.startswith("/usr/share/doc/")} | {"/usr/lib/sysusers.d/troupe.conf"}
    patterns = listed(spec)
    matches = {pattern: [p for p in installed if fnmatch.fnmatch(p, pattern) or p.startswith(pattern + "/")] for pattern in patterns}
    for pattern, found in matches.items():
        expect(found, f"troupe.spec lists {pattern}, which is not installed")
    missing = installed - {path for found in matches.values() for path in found}
    expect(not missing, f"troupe.spec does not list {sorted(missing)[:5]}")
    if shutil.which("rpmlint"):
        said = run("rpmlint", PACKAGING / "fedora/troupe.spec")
        expect(" 0 errors" in said, said)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path, help="a complete build tree")
    parser.add_argument("--cmake", default="cmake")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="troupe-ports-") as name:
        check_vcpkg(Path(name), asked.cmake)
        check_conan()
        check_fedora(Path(name), asked.build, asked.cmake)


if __name__ == "__main__":
    main()
