"""A stand-in for the Hugging Face Hub: repositories, uploads, commits and files, in memory.

It answers what huggingface_hub asks without Xet: the API for repositories, preupload, paths and
commits, the batch API of Git LFS, and files with ranges.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml
from flask import Flask, Response, request
from werkzeug.serving import make_server

TOKEN = "hf_s3cret"
_FILE = {"split", "path"}


@dataclass
class Hub:
    """repos: files by their paths, by repository. commits: the paths that each has added."""

    url: str = ""
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    commits: list[list[str]] = field(default_factory=list)
    failures: int = 0  # of the commits to come


def faults_of(front: dict[str, Any]) -> list[str]:
    """What the Hub would say of these parts of a front matter, by its documented values."""
    rules = {
        "license": {"mit", "cc0-1.0", "cc-by-4.0", "other"},
        "size_categories": {"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M"},
        "task_categories": {"image-to-text"},
    }
    faults = []
    for name, known in rules.items():
        values = front[name] if isinstance(front[name], list) else [front[name]]
        faults += [f"{name}: {value}" for value in values if value not in known]
    for config in front["configs"]:
        faults += [f"no path: {file}" for file in config["data_files"] if set(file) != _FILE]
    return faults


def app_of(hub: Hub) -> Flask:
    app = Flask(__name__)

    @app.before_request
    def check() -> Response | None:
        writes = request.method in ("POST", "PUT") and "paths-info" not in request.path
        allowed = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        if writes and not allowed and not request.path.startswith("/lfs/"):
            return Response("no token", 401)
        return None

    @app.post("/api/repos/create")
    def create() -> Any:
        name = f"ann/{request.json['name']}"
        if name in hub.repos:
            return {"url": f"{hub.url}/datasets/{name}"}, 409
        hub.repos[name] = {}
        return {"url": f"{hub.url}/datasets/{name}"}

    @app.get("/api/datasets/ann/<name>")
    @app.get("/api/datasets/ann/<name>/revision/main")
    def repo(name: str) -> Any:
        if f"ann/{name}" not in hub.repos:
            return Response("{}", 404, {"X-Error-Code": "RepoNotFound"})
        return {"id": f"ann/{name}", "sha": "0" * 40, "siblings": []}

    @app.post("/api/validate-yaml")
    def validate() -> Any:
        front = yaml.safe_load(request.json["content"].split("---")[1])
        errors = [{"message": fault} for fault in faults_of(front)]
        return {"errors": errors, "warnings": []}, 400 if errors else 200

    @app.post("/api/datasets/ann/<name>/preupload/main")
    def preupload(name: str) -> Any:
        files = []
        for file in request.json["files"]:
            mode = "lfs" if file["path"].endswith((".tar", ".gz", ".png")) else "regular"
            files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False})
        return {"files": files}

    @app.post("/datasets/ann/<name>.git/info/lfs/objects/batch")
    def batch(name: str) -> Any:
        objects = []
        for item in request.get_json(force=True)["objects"]:
            if item["oid"] not in hub.objects:
                item["actions"] = {"upload": {"href": f"{hub.url}/lfs/{item['oid']}"}}
            objects.append({**item, "authenticated": True})
        return {"transfer": "basic", "objects": objects}

    @app.put("/lfs/<oid>")
    def upload(oid: str) -> Any:
        data = request.get_data()
        if hashlib.sha256(data).hexdigest() != oid:
            return Response("another hash", 422)
        hub.objects[oid] = data
        return ""

    @app.post("/api/datasets/ann/<name>/commit/main")
    def commit(name: str) -> Any:
        if hub.failures:
            hub.failures -= 1
            return Response("later", 503)
        added = {}
        for line in request.get_data().splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                added[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                added[value["path"]] = hub.objects[value["oid"]]
        hub.repos[f"ann/{name}"] |= added
        hub.commits.append(list(added))
        url = f"{hub.url}/datasets/ann/{name}/commit/{'0' * 40}"
        return {"success": True, "commitOid": "0" * 40, "commitUrl": url, "hookOutput": ""}

    @app.post("/api/datasets/ann/<name>/paths-info/main")
    def paths(name: str) -> Any:
        asked = request.form.getlist("paths") or request.get_json()["paths"]
        return [entry for entry in tree(name) if entry["path"] in asked]

    @app.get("/api/datasets/ann/<name>/tree/main")
    def tree(name: str) -> Any:
        return [
            {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            for path, data in hub.repos[f"ann/{name}"].items()
        ]

    @app.get("/datasets/ann/<name>/resolve/main/<path:path>")
    def resolve(name: str, path: str) -> Any:
        if path not in hub.repos.get(f"ann/{name}", {}):
            return Response("", 404, {"X-Error-Code": "EntryNotFound"})
        data = hub.repos[f"ann/{name}"][path]
        response = Response(data, headers={"ETag": '"x"', "X-Repo-Commit": "0" * 40})
        return response.make_conditional(request, accept_ranges=True, complete_length=len(data))

    return app


@contextmanager
def hub_on_this_machine() -> Iterator[Hub]:
    hub = Hub()
    server = make_server("127.0.0.1", 0, app_of(hub), threaded=True)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
