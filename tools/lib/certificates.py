"""Certificates for one cluster on this machine, made by tools/certs."""

import subprocess
from pathlib import Path

from cluster import Failure

TOOL = Path(__file__).resolve().parent.parent / "certs"
CLUSTER_NAME = "troupe.local"


class Certificates:
    """A CA in `folder` and a certificate for each of `names`. `make` creates them."""

    def __init__(self, folder, names):
        self.folder, self.names = folder, names

    def make(self):
        """Makes the CA and the certificates. Further calls renew the certificates and keep the CA."""
        made = subprocess.run([TOOL, "--cluster-name", CLUSTER_NAME, self.folder, *self.names], capture_output=True,
                              text=True, check=False)
        if made.returncode != 0:
            raise Failure(made.stderr.strip() or f"tools/certs exited with code {made.returncode}")

    def flags(self, name):
        """The options with which the process of this name uses TLS and accepts only its own cluster."""
        return ["--tls-cert", str(self.folder / f"{name}.crt"), "--tls-key", str(self.folder / f"{name}.key"),
                "--tls-ca", str(self.folder / "ca.crt"), "--tls-cluster-name", CLUSTER_NAME]
