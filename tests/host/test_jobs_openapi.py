"""docs/openapi.yaml against the real server: whatever is sent, the answers are as it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from host import PACK, Server
from hypothesis import HealthCheck, settings
from jobs_client import Jobs
from lipsync_studio.nodes.jobs_order import FILES, PARAMETERS
from schemathesis.specs.openapi import checks

CONTRACT = PACK / "docs" / "openapi.yaml"
CONFORMANCE = (
    checks.status_code_conformance,  # no 500 is described, so none may come
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)
MANY = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

contract = schemathesis.openapi.from_path(CONTRACT)


@pytest.fixture(scope="module")
def jobs(comfyui: Server, clip: str, speech: str) -> Iterator[Jobs]:
    """The examples of the contract name the two files. The jobs that come of it are gone afterwards."""
    client = Jobs(comfyui.url)
    yield client
    client.clear()


@pytest.fixture(scope="module")
def session(jobs: Jobs) -> requests.Session:
    return jobs.session


@pytest.fixture(scope="module")
def completed(jobs: Jobs, clip: str, speech: str) -> str:
    """The id of a job with a result. What the test before it queued is not waited for."""
    jobs.clear()
    job = jobs.start(video=clip, audio=speech)
    assert jobs.wait(job)["status"] == "completed"
    return job


@contract.parametrize()
@MANY
def test_answers_are_as_described(case: schemathesis.Case, comfyui: Server, session: requests.Session) -> None:
    case.call_and_validate(base_url=comfyui.url, session=session, checks=(*CONFORMANCE, checks.negative_data_rejection))


@contract.include(operation_id=["status", "download"]).parametrize()
@MANY
def test_answers_about_a_job_are_as_described(
    case: schemathesis.Case, comfyui: Server, session: requests.Session, completed: str
) -> None:
    case.path_parameters = {"id": completed}
    case.call_and_validate(base_url=comfyui.url, session=session, checks=CONFORMANCE)


@contract.include(operation_id="generate").parametrize()
@MANY
def test_answers_to_orders_of_real_files_are_as_described(
    case: schemathesis.Case, comfyui: Server, session: requests.Session, clip: str, speech: str
) -> None:
    """Whatever else is asked of them."""
    if case.media_type == "application/json" and isinstance(case.body, dict):
        rest = {name: value for name, value in case.body.items() if name != "image"}
        case.body = rest | {"video": clip, "audio": speech, "engine": "draft"}
    case.call_and_validate(base_url=comfyui.url, session=session, checks=CONFORMANCE)


def test_every_parameter_is_described_as_its_node_has_it(comfyui: Server) -> None:
    described = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["components"]["schemas"]
    nodes = comfyui.object_info()
    assert set(described["Settings"]["properties"]) == {"engine", *PARAMETERS}
    for form in ("Form", "Order"):
        assert set(described[form]["allOf"][-1]["properties"]) == set(FILES)
    for name, parameter in PARAMETERS.items():
        inputs = nodes[parameter.node]["input"]
        kind, options = {**inputs["required"], **inputs.get("optional", {})}[name]
        assert as_schema(kind, options) == {
            key: value for key, value in described["Settings"]["properties"][name].items() if key != "description"
        }


def as_schema(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """An input of ComfyUI in JSON Schema."""
    default = {"default": options["default"]}
    if kind == "COMBO":
        return {"enum": options["options"], **default}
    if kind == "BOOLEAN":
        return {"type": "boolean", **default}
    number = {"INT": "integer", "FLOAT": "number"}[kind]
    return {"type": number, "minimum": options["min"], "maximum": options["max"], **default}
