"""Certificates for one cluster of a trial, made by tools/certs."""

import subprocess
from pathlib import Path

from cluster import Failure

TOOL = Path(__file__).resolve().parent.parent / "certs"
CLUSTER_NAME = "troupe.local"


class Certificates:
    """A CA of its own in `folder`, and a certificate for each of these names, once they are made."""

    def __init__(self, folder, names):
        self.folder, self.names = folder, names

    def make(self):
        """Called again, it renews those of the names."""
        made = subprocess.run([TOOL, "--cluster-name", CLUSTER_NAME, self.folder, *self.names], capture_output=True,
                              text=True, check=False)
        if made.returncode != 0:
            raise Failure(made.stderr.strip() or f"tools/certs ended with {made.returncode}")

    def flags(self, name):
        """What makes the process with this name speak TLS, and only with its own cluster."""
        return ["--tls-cert", str(self.folder / f"{name}.crt"), "--tls-key", str(self.folder / f"{name}.key"),
                "--tls-ca", str(self.folder / "ca.crt"), "--tls-cluster-name", CLUSTER_NAME]
