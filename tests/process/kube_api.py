#!/usr/bin/env python3
"""A fake Kubernetes API server with EndpointSlices and pods, for tests.

Usage: kube_api.py CERTIFICATE KEY PORT_FILE

Serves lists (in pages), watches and the discovery documents that kubectl reads, by HTTPS with a token. A second
port accepts orders by plain HTTP: POST / with a JSON object; the response reports the state of the server. The server
writes both ports to PORT_FILE, separated by a space. It runs until it is killed.

Orders, all optional: token; put: [objects]; delete: [[kind, name]]; bookmark: true; drop: true (cuts all watches);
forget: true (expires all earlier versions); list: {...} and watch: {...}: how such requests fail (see `trouble`);
watches_end: true (a watch ends as soon as it has sent the known events).
"""

import json
import os
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS = {
    "endpointslices": ("EndpointSlice", "discovery.k8s.io/v1"),
    "pods": ("Pod", "v1"),
}


class State:
    def __init__(self):
        self.changed = threading.Condition()
        self.version = 1000
        self.oldest = 0
        self.objects = {kind: {} for kind in KINDS}
        self.events = []  # (version, kind, event)
        self.token = "first"
        self.trouble = {"list": {}, "watch": {}}
        self.watches_end = False
        self.drops = 0
        self.watches = 0
        self.requests = []

    def put(self, item):
        kind = next(k for k, (name, _) in KINDS.items() if name == item["kind"])
        self.version += 1
        name = item["metadata"]["name"]
        item["metadata"]["resourceVersion"] = str(self.version)
        item["metadata"].setdefault("namespace", "default")
        known = name in self.objects[kind]
        self.objects[kind][name] = item
        self.events.append((self.version, kind, {"type": "MODIFIED" if known else "ADDED", "object": item}))

    def delete(self, kind, name):
        self.version += 1
        item = dict(self.objects[kind].pop(name))
        item["metadata"] = dict(item["metadata"], resourceVersion=str(self.version))
        self.events.append((self.version, kind, {"type": "DELETED", "object": item}))

    def bookmark(self):
        self.version += 1
        for kind, (name, api) in KINDS.items():
            about = {"resourceVersion": str(self.version), "creationTimestamp": None}
            self.events.append((self.version, kind,
                                {"type": "BOOKMARK", "object": {"kind": name, "apiVersion": api, "metadata": about}}))

    def order(self, what):
        with self.changed:
            self.token = what.get("token", self.token)
            for item in what.get("put", []):
                self.put(item)
            for kind, name in what.get("delete", []):
                self.delete(kind, name)
            if what.get("bookmark"):
                self.bookmark()
            if what.get("forget"):
                self.version += 1
                self.oldest = self.version
            for part in ("list", "watch"):
                self.trouble[part] = what.get(part, self.trouble[part])
            self.watches_end = what.get("watches_end", self.watches_end)
            self.drops += bool(what.get("drop"))
            self.changed.notify_all()
            return {"version": self.version, "watches": self.watches, "requests": self.requests}


STATE = State()


def status(code, reason, message):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code}


def selected(item, selector):
    labels = item["metadata"].get("labels", {})
    return all(labels.get(key) == value for key, value in (part.split("=", 1) for part in selector.split(",") if part))


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        with STATE.changed:
            authorized = self.headers.get("Authorization") == "Bearer " + STATE.token
            STATE.requests.append({"path": url.path, "query": query, "token": self.headers.get("Authorization", "")})
        if not authorized:
            return self.answer(401, status(401, "Unauthorized", "Unauthorized"))
        documents = {
            "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [{
                "name": "discovery.k8s.io",
                "versions": [{"groupVersion": "discovery.k8s.io/v1", "version": "v1"}],
                "preferredVersion": {"groupVersion": "discovery.k8s.io/v1", "version": "v1"}}]},
            "/version": {"major": "1", "minor": "28", "gitVersion": "v1.28.0"},
            "/api/v1": self.resources("v1", "pods", "Pod"),
            "/apis/discovery.k8s.io/v1": self.resources("discovery.k8s.io/v1", "endpointslices", "EndpointSlice"),
        }
        if url.path in documents:
            return self.answer(200, documents[url.path])
        for kind, prefix in (("pods", "/api/v1/namespaces/"), ("endpointslices", "/apis/discovery.k8s.io/v1/namespaces/")):
            rest = url.path.removeprefix(prefix)
            if rest != url.path and rest == "default/" + kind:
                watches = query.get("watch") in ("true", "1")
                return self.watch(kind, query) if watches else self.list(kind, query)
        return self.answer(404, status(404, "NotFound", "the server could not find the requested resource"))

    def resources(self, version, name, kind):
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [
            {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get", "list", "watch"]}]}

    def trouble(self, part):
        """Sends the ordered failure, if there is one, and returns whether it did. status: an error code; body: text
        instead of the answer; slowly: true sends it byte by byte; cut: true closes after half of the answer.
        (in_stream: true is for `watch`.)"""
        what = STATE.trouble[part]
        if "status" in what:
            self.answer(what["status"], status(what["status"], "Trouble", what.get("message", "as ordered")))
        elif "body" in what:
            data = what["body"].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data) * (2 if what.get("cut") else 1)))
            self.end_headers()
            for at in range(0, len(data), 1 if what.get("slowly") else len(data)):
                self.wfile.write(data[at:at + (1 if what.get("slowly") else len(data))])
                self.wfile.flush()
                if what.get("slowly"):
                    time.sleep(0.2)
            self.close_connection = True
        else:
            return False
        return True

    def list(self, kind, query):
        if self.trouble("list"):
            return
        name, api = KINDS[kind]
        with STATE.changed:
            items = [item for key, item in sorted(STATE.objects[kind].items())
                     if selected(item, query.get("labelSelector", ""))]
            about = {"resourceVersion": str(STATE.version)}
            oldest = STATE.oldest
        begin = 0
        if query.get("continue"):
            version, begin = (int(part) for part in query["continue"].split("+"))
            if version < oldest:
                return self.answer(410, status(410, "Expired", "The provided continue parameter is too old"))
            about["resourceVersion"] = str(version)
        limit = int(query.get("limit", "0") or 0)
        if limit and begin + limit < len(items):
            about["continue"] = "%s+%d" % (about["resourceVersion"], begin + limit)
            about["remainingItemCount"] = len(items) - begin - limit
        page = items[begin:begin + limit] if limit else items
        # The items of a list have no kind and apiVersion, as with the real server.
        page = [{key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in page]
        self.answer(200, {"kind": name + "List", "apiVersion": api, "metadata": about, "items": page})

    def watch(self, kind, query):
        if self.trouble("watch"):
            return
        since = int(query.get("resourceVersion") or STATE.version)
        if since < STATE.oldest and not STATE.trouble["watch"].get("in_stream"):
            return self.answer(410, status(410, "Expired", "too old resource version: %d" % since))
        end = time.monotonic() + float(query.get("timeoutSeconds", "300"))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with STATE.changed:
            STATE.watches += 1
            STATE.changed.notify_all()
            drops = STATE.drops
        try:
            self.stream(kind, query, since, end, drops)
        except OSError:
            self.close_connection = True
        with STATE.changed:
            STATE.watches -= 1

    def stream(self, kind, query, since, end, drops):
        while True:
            with STATE.changed:
                if since < STATE.oldest:
                    fresh, since = [{"type": "ERROR", "object": status(410, "Expired", "too old resource version")}], None
                else:
                    news = [(v, e) for v, k, e in STATE.events if k == kind and v > since]
                    fresh = [e for _, e in news if e["type"] == "BOOKMARK" and query.get("allowWatchBookmarks") or
                             e["type"] != "BOOKMARK" and selected(e["object"], query.get("labelSelector", ""))]
                    since = max([since] + [v for v, _ in news])
                over = since is None or STATE.watches_end or time.monotonic() >= end
                if STATE.drops != drops:
                    self.close_connection = True
                    return
                if not fresh and not over:
                    STATE.changed.wait(max(0.01, end - time.monotonic()))
                    continue
            data = "".join(json.dumps(event) + "\n" for event in fresh).encode()
            # Chunks do not end at the ends of lines.
            for at in range(0, len(data), 100):
                chunk = data[at:at + 100]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
            if over:
                self.wfile.write(b"0\r\n\r\n")
                return


class Orders(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        data = json.dumps(STATE.order(json.loads(body))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class TlsServer(ThreadingHTTPServer):
    """Does the TLS handshake in the connection's own thread, so that a slow client does not delay others."""

    def __init__(self, context):
        super().__init__(("127.0.0.1", 0), Api)
        self.context = context

    def finish_request(self, request, client_address):
        try:
            with self.context.wrap_socket(request, server_side=True) as session:
                super().finish_request(session, client_address)
        except (ssl.SSLError, OSError):
            pass


def main():
    certificate, key, port_file = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    api = TlsServer(context)
    orders = ThreadingHTTPServer(("127.0.0.1", 0), Orders)
    for server in (api, orders):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(port_file + ".new", "w", encoding="ascii") as file:
        file.write("%d %d" % (api.server_port, orders.server_port))
    os.rename(port_file + ".new", port_file)
    threading.Event().wait()


if __name__ == "__main__":
    main()
