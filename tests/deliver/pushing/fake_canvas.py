"""A small Canvas on this machine: the parts of its documented interface that a push needs.

Pages of two, tokens, throttling, uploads in three steps, comments, and its rule for late work.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

TOKEN = "1234~s3cretToken"
COURSE, ASSIGNMENT = 12, 71
PAGE = 2


@dataclass
class Fault:
    """What the server answers instead, to so many requests of a kind."""

    method: str
    path: str
    status: int
    body: str = "{}"
    times: int = 1


@dataclass
class FakeCanvas:
    """The state of the server, and what was asked of it."""

    users: list[dict[str, Any]]
    assignments: list[dict[str, Any]]
    submissions: dict[int, dict[str, Any]]
    url: str = ""
    token: str = TOKEN
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    files: dict[int, dict[str, Any]] = field(default_factory=dict)
    late_policy: dict[int, float] = field(default_factory=dict)
    after_put: Any = None

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Everything but questions."""
        return [one for one in self.requests if one[0] != "GET"]

    def scores(self) -> dict[int, Any]:
        """Return the points that were entered, by student."""
        return {user: one["entered_score"] for user, one in self.submissions.items()}

    def comments(self, user: int) -> list[str]:
        """Return the texts of a student's comments."""
        return [one["comment"] for one in self.submissions[user]["submission_comments"]]

    def attached(self, user: int) -> list[dict[str, Any]]:
        """Return the files at a student's comments."""
        comments = self.submissions[user]["submission_comments"]
        return [file for one in comments for file in one.get("attachments", [])]


def submission(user: int, score: float | None = None, **more: Any) -> dict[str, Any]:
    """Return a submission as Canvas lists it."""
    return {
        "id": 9000 + user, "user_id": user, "assignment_id": ASSIGNMENT, "score": score,
        "entered_score": score, "grade": None if score is None else str(score),
        "excused": False, "late": False, "submission_comments": [],
    } | more  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve("GET")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_POST(self) -> None:
        self._serve("POST")

    def log_message(self, *_arguments: Any) -> None:
        """Stay silent."""

    def _serve(self, method: str) -> None:
        canvas = self.server.canvas
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path = urlsplit(self.path).path
        canvas.requests.append((method, path))
        for fault in canvas.faults:
            if fault.method == method and re.search(fault.path, path) and fault.times:
                fault.times -= 1
                self._answer(fault.status, fault.body)
                return
        if path == "/upload":
            self._upload(body)
            return
        if self.headers.get("Authorization") != f"Bearer {canvas.token}":
            errors = {"errors": [{"message": "Invalid access token."}]}
            self._answer(401, json.dumps(errors), {"WWW-Authenticate": 'Bearer realm="canvas"'})
            return
        self._route(method, path, body)

    def _route(self, method: str, path: str, body: bytes) -> None:
        canvas = self.server.canvas
        own = f"/api/v1/courses/{COURSE}"
        assignment = f"{own}/assignments/{ASSIGNMENT}"
        if (method, path) == ("GET", f"{own}/assignments"):
            self._pages(canvas.assignments)
        elif (method, path) == ("GET", f"{own}/search_users"):
            asked = parse_qs(urlsplit(self.path).query)
            assert "page" in asked or asked["enrollment_type[]"] == ["student"]
            self._pages(canvas.users)
        elif (method, path) == ("GET", f"{assignment}/submissions"):
            self._pages(list(canvas.submissions.values()))
        elif match := re.fullmatch(rf"{assignment}/submissions/(\d+)(/comments/files)?", path):
            if int(match[1]) not in canvas.submissions:
                self._answer(404, '{"errors":[{"message":"not there"}]}')
            elif method == "PUT" and not match[2]:
                self._put(int(match[1]), parse_qs(body.decode()))
            elif method == "POST" and match[2]:
                asked = parse_qs(body.decode())
                params = {"key": "k", "filename": asked["name"][0]}
                told = {"upload_url": f"{canvas.url}/upload", "upload_params": params}
                self._answer(200, json.dumps(told))
        else:
            missing = "The specified resource does not exist."
            self._answer(404, json.dumps({"errors": [{"message": missing}]}))

    def _pages(self, items: list[dict[str, Any]]) -> None:
        """Answer with a page of the items, and say in a header where the next one is."""
        parts = urlsplit(self.path)
        asked = parse_qs(parts.query)
        page = int(asked.get("page", ["1"])[0])
        start = (page - 1) * PAGE
        headers = {}
        if start + PAGE < len(items):
            query = urlencode(asked | {"page": [page + 1]}, doseq=True)
            address = f"{self.server.canvas.url}{parts.path}?{query}"
            headers["Link"] = f'<{address}>; rel="next"'
        self._answer(200, json.dumps(items[start : start + PAGE]), headers)

    def _put(self, user: int, told: dict[str, list[str]]) -> None:
        canvas = self.server.canvas
        one = canvas.submissions[user]
        if "submission[posted_grade]" in told:
            entered = float(told["submission[posted_grade]"][0])
            off = canvas.late_policy.get(user, 0.0)
            one |= {"entered_score": entered, "score": entered - off, "points_deducted": off}
        text = told.get("comment[text_comment]", [""])[0]
        files = [canvas.files[int(number)] for number in told.get("comment[file_ids][]", [])]
        if text or files:
            comment = {"comment": text.replace("\n", "\r\n"), "attachments": files}
            one["submission_comments"].append(comment)
        if canvas.after_put is not None:
            canvas.after_put(canvas, user)
        self._answer(200, json.dumps(one))

    def _upload(self, body: bytes) -> None:
        assert "Authorization" not in self.headers  # the place of files is another server
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = BytesParser().parsebytes(head + body).get_payload()
        named = {part.get_param("name", header="content-disposition"): part for part in parts}
        data = named["file"].get_payload(decode=True)
        name = named["filename"].get_payload(decode=True).decode()
        canvas = self.server.canvas
        number = 500 + len(canvas.files)
        url = f"{canvas.url}/files/{number}"
        made = {"id": number, "display_name": name, "filename": name, "url": url}
        canvas.files[number] = made
        self.server.contents[number] = data
        self._answer(201, json.dumps(made))

    def _answer(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, canvas: FakeCanvas) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.canvas = canvas
        self.contents: dict[int, bytes] = {}


@contextmanager
def serving(canvas: FakeCanvas):
    """Serve a Canvas on loopback, as long as the block lasts."""
    server = _Server(canvas)
    canvas.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
