"""Runs a cluster of webserver processes on this machine and sends HTTP requests to it. Standard library only."""

import contextlib
import ctypes
import http.client
import json
import random
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

HOST = "127.0.0.1"
STOP_SECONDS = 10  # how long a node may take to exit after SIGTERM


class Failure(Exception):
    """A step failed. The text says what was expected and what happened instead."""


def free_ports(count):
    """Ports without a listener, below those that the kernel gives to outgoing connections: a node's port must still be
    free when the node restarts, and a connection whose source port equals its target port would connect to itself."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = []
    with contextlib.ExitStack() as held:
        for port in random.sample(range(10000, max(low, 11000)), 1000):
            probe = held.enter_context(socket.socket())
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            ports.append(port)
            if len(ports) == count:
                return ports
    raise Failure(f"no {count} free ports between 10000 and {low}")


def wait_for(what, seconds, attempt, pause=0.02):
    """Calls `attempt` until it returns something true, and returns that. Ignores Unanswered and Failure meanwhile."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            result = attempt()
            if result:
                return result
        except (Unanswered, Failure) as error:
            last = error
        if time.monotonic() >= deadline:
            raise Failure(f"{what} did not happen within {seconds} s" + (f"; last: {last}" if last else ""))
        time.sleep(pause)


class Unanswered(Exception):
    """There was no valid HTTP response: the node is down, or the connection broke."""


class Node:
    """One webserver process. It can be killed and restarted on the same data directory."""

    def __init__(self, number, binary, folder, raft_port, http_port, peers, flags):
        self.name = f"node {number}"
        self.http_port = http_port
        self.url = f"http://{HOST}:{http_port}"
        self.log = folder / f"node{number}.log"
        self.process = None
        self.killed = False  # True after `kill`, to tell it from an unexpected exit
        self._command = [
            str(binary), "--bind", HOST, "--advertise", f"{HOST}:{raft_port}", "--raft-port", str(raft_port),
            "--http-port", str(http_port), "--data-dir", str(folder / f"node{number}"),
            "--discovery", "static:" + ",".join(f"{HOST}:{port}" for port in peers), *flags]

    def add_flags(self, *flags):
        """Adds options for all later starts."""
        self._command += flags

    def start(self):
        self.killed = False
        # In a session of its own, so that Ctrl-C reaches only this program, which then stops the nodes in order.
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, preexec_fn=_die_with_parent)

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """Sends SIGKILL, which acts like a crash."""
        self.killed = True
        self.process.kill()
        self.process.wait()

    def call(self, method, path, body=None, timeout=6.0):
        """Sends one request on a new connection. Returns the status and the decoded JSON, or the text if not JSON."""
        if not self.running:
            raise Unanswered(f"{self.name} is not running")
        connection = http.client.HTTPConnection(HOST, self.http_port, timeout=timeout)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered(f"{self.name}: {method} {path}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def expect(self, method, path, body=None, timeout=6.0):
        """Returns the body of a 200. Raises a Failure with the response otherwise."""
        status, answer = self.call(method, path, body, timeout)
        if status != 200:
            raise Failure(f"{self.name}: {method} {path} answered {status}: {answer}")
        return answer

    def status(self):
        return self.expect("GET", "/status", timeout=1.0)

    def ready(self):
        return self.call("GET", "/readyz", timeout=1.0)[0] == 200

    def put(self, map_name, key, value, timeout=5):
        return self.expect("PUT", f"{_path(map_name, key)}?timeout={timeout}s", value, timeout + 1)["revision"]

    def get(self, map_name, key, level="linearizable"):
        return self.get_whole(map_name, key, level)["value"]

    def get_whole(self, map_name, key, level="linearizable"):
        """Returns value and revision."""
        return self.expect("GET", f"{_path(map_name, key)}?level={level}")

    def download(self, path, file, timeout=60):
        """Writes the body of a 200 to a file. Raises a Failure otherwise."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout) as answer, file.open("wb") as out:
                shutil.copyfileobj(answer, out)
                if out.tell() != int(answer.headers["Content-Length"]):
                    raise Failure(f"{self.name}: GET {path} broke off after {out.tell()} bytes")
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{self.name}: GET {path}: {error}") from error


def names_of_nodes(size):
    """The names of the nodes in their certificates."""
    return [f"node{i + 1}" for i in range(size)]


class Cluster:
    """N nodes that find each other by a static list. `stop` stops exactly the processes that `start` started."""

    def __init__(self, binary, folder, size, certificates=None, flags=()):
        """With certificates for `names_of_nodes(size)`, the nodes use TLS. Each node also gets `flags`."""
        self.binary = binary
        ports = free_ports(2 * size)
        peers = self.raft_ports = ports[:size]
        self.nodes = [Node(i + 1, binary, folder, peers[i], ports[size + i], peers,
                           [*flags, *(certificates.flags(name) if certificates else [])])
                      for i, name in enumerate(names_of_nodes(size))]

    @property
    def running(self):
        return [node for node in self.nodes if node.running]

    def start(self):
        for node in self.nodes:
            node.start()

    def check_alive(self):
        for node in self.nodes:
            if not node.running:
                raise Failure(f"{node.name} exited unexpectedly with code {node.process.returncode}")

    def leader(self):
        """The leader and its status if all running nodes agree on it, else None."""
        states = [(node, node.status()) for node in self.running]
        leading = [(node, status) for node, status in states if status["role"] == "leader"]
        if len(leading) != 1:
            return None
        leader_id = leading[0][1]["id"]
        agreed = all(status["leader"] and status["leader"]["id"] == leader_id for _, status in states)
        return leading[0] if agreed else None

    def others(self, node):
        return [other for other in self.running if other is not node]

    def stop(self):
        """Sends SIGTERM to all nodes, waits ten seconds, then sends SIGKILL. Returns one line for each problem."""
        stopping = self.running
        wrong = [f"{node.name} exited unexpectedly with code {node.process.returncode}"
                 for node in self.nodes if node.process and node not in stopping and not node.killed]
        for node in stopping:
            node.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for node in stopping:
            try:
                code = node.process.wait(max(0.0, deadline - time.monotonic()))
                if code != 0:
                    wrong.append(f"{node.name} exited with code {code} after SIGTERM, not 0")
            except subprocess.TimeoutExpired:
                node.kill()
                wrong.append(f"{node.name} did not exit within {STOP_SECONDS} s of SIGTERM and was killed")
        return wrong


def _path(map_name, key):
    return f"/v1/maps/{quote(map_name, safe='')}/{quote(key, safe='')}"


def _die_with_parent():
    """Makes the kernel stop this child when its parent dies, so that no run leaves processes behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
