"""A client of the jobs API, as a program around ComfyUI would have one."""

from __future__ import annotations

import time
from typing import Any

import requests

WITHIN_SECONDS = 300


class Jobs:
    """A client of the API at `url`."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/lipsync"
        self.session = requests.Session()
        self.session.trust_env = False  # the server is on this machine: no proxy

    def ask(self, method: str, path: str, **content: Any) -> requests.Response:  # noqa: ANN401
        return self.session.request(method, f"{self._url}/{path}", timeout=WITHIN_SECONDS, **content)

    def get(self, path: str) -> dict[str, Any]:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start(self, **fields: object) -> str:
        """A draft job of files in the input folder; its id."""
        answer = self.ask("POST", "generate", json={"engine": "draft", **fields})
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def wait(self, job: str, until: tuple[str, ...] = ("completed", "failed", "cancelled")) -> dict[str, Any]:
        deadline = time.monotonic() + WITHIN_SECONDS
        while (told := self.get(f"status/{job}"))["status"] not in until:
            assert time.monotonic() < deadline, told
            time.sleep(0.1)
        return told

    def delete(self, job: str) -> str:
        answer = self.ask("DELETE", f"jobs/{job}")
        assert answer.status_code == 200, answer.text
        return answer.json()["outcome"]

    def clear(self) -> None:
        """Cancel and delete all jobs there are."""
        left = [job["id"] for job in self.get("jobs")["jobs"]]
        ending = [job for job in left if self.delete(job) != "deleted"]
        for job in ending:
            self.wait(job)
            self.delete(job)
