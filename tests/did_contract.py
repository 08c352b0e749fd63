"""D-ID's published contract (did_contract.yaml), asked whether a request or an answer keeps to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.testing import MockRequest, MockResponse

CONTRACT = Path(__file__).with_name("did_contract.yaml")
HOST = "https://api.d-id.com"  # where the contract says that the service is


class Contract:
    """Every method returns what is wrong, or nothing."""

    def __init__(self) -> None:
        self._api = OpenAPI.from_dict(yaml.safe_load(CONTRACT.read_text(encoding="utf-8")))

    def breach_of_request(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> str:
        """target: path and query."""
        try:
            self._api.validate_request(_request(method, target, headers, body))
        except OpenAPIError as error:
            return f"{method} {target}: {error!r}, {error.__cause__!r}"
        return ""

    def breach_of_answer(self, method: str, target: str, status: int, kind: str, body: bytes) -> str:
        """Statuses that the contract does not declare (429, 5xx) are no breach: any service sends them."""
        try:
            self._api.validate_response(_request(method, target, {}, b""), MockResponse(body, status, None, kind))
        except ResponseNotFound:
            return ""
        except OpenAPIError as error:
            return f"{status} to {method} {target}: {error!r}, {error.__cause__!r}"
        return ""


@cache
def contract() -> Contract:
    """Read once, because that takes a second."""
    return Contract()


def _request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> MockRequest:
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query))
    kind = headers.get("Content-Type", "")
    return MockRequest(HOST, method, parts.path, args=query, headers=dict(headers), data=body, content_type=kind)
