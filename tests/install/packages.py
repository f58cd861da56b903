#!/usr/bin/env python3
"""The Debian packages: makes them from a build tree, unpacks them, and runs what they hold."""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

from commands import run


def expect(condition, what):
    if not condition:
        sys.exit(what)


def environment_of(conf):
    """The settings of a file as systemd's EnvironmentFile reads it."""
    lines = [line for line in conf.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def files_of(package):
    """The names of a package's files, without its folders."""
    rows = run("dpkg-deb", "-c", package).splitlines()
    return {row.split()[5] for row in rows if not row.startswith("d")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path, help="a complete build tree")
    parser.add_argument("--cpack", default="cpack")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="troupe-packages-") as name:
        folder = Path(name)
        run(asked.cpack, "--config", asked.build / "CPackConfig.cmake", "-B", folder)
        packages = {path.name.split("_")[0]: path for path in folder.glob("*.deb")}
        expect(set(packages) == {"troupe", "libtroupe-dev"}, f"these packages were made: {sorted(packages)}")
        root = folder / "root"
        files = {name: files_of(path) for name, path in packages.items()}
        both = files["troupe"] & files["libtroupe-dev"]
        expect(not both, f"both packages have {sorted(both)}")
        for package in packages.values():
            run("dpkg-deb", "-x", package, root)

        fields = run("dpkg-deb", "-f", packages["troupe"], "Depends")
        expect("libcaf-core" in fields and "adduser" in fields, f"the package troupe depends on {fields}")
        expect("libcaf-dev" in run("dpkg-deb", "-f", packages["libtroupe-dev"], "Depends"), "libtroupe-dev lacks libcaf-dev")
        control = folder / "control"
        run("dpkg-deb", "-e", packages["troupe"], control)
        for script in ("postinst", "prerm"):
            run("sh", "-n", control / script)
            expect(os.access(control / script, os.X_OK), f"{script} is not executable")
        expect((control / "conffiles").read_text() == "/etc/troupe/troupe.conf\n", "the configuration is not a conffile")

        for program in ("troupe-server", "troupe-log", "troupe-backup"):
            said = run(root / "usr/bin" / program, "--version")
            expect(re.search(r"\d+\.\d+\.\d+", said), f"{program} --version said: {said}")
        settings = environment_of(root / "etc/troupe/troupe.conf")
        expect(settings.get("TROUPE_DATA_DIR") == "/var/lib/troupe", f"the settings are {settings}")
        known = run(root / "usr/bin/troupe-server", "--help")
        for variable in re.findall(r"TROUPE_[A-Z_]+", (root / "etc/troupe/troupe.conf").read_text()):
            expect(variable in known, f"troupe-server does not know the setting {variable}")
        unit = (root / "usr/lib/systemd/system/troupe.service").read_text()
        expect("ExecStart=/usr/bin/troupe-server" in unit, "the unit does not start the server")
        expect((root / "usr/include/troupe/node.hpp").is_file(), "the headers are missing")
    print("packages: ok")


if __name__ == "__main__":
    main()
