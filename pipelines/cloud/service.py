"""Where a service is, and which hosts may be talked to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from ..core.errors import InputError

# Where D-ID's results are: its own hosts, and its buckets at S3 (d-id-talks-prod.s3.us-west-2.amazonaws.com).
_RESULT_HOST = re.compile(r"[a-z0-9.-]+\.d-id\.com|d-id-[a-z0-9-]+\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com")


@dataclass(frozen=True)
class Service:
    """base: scheme, host and port, without a slash at the end. A test's own service is on this very machine."""

    base: str

    @property
    def is_local(self) -> bool:
        """Only a test's fake is; results then come from that same address and no proxy is asked."""
        return _is_loopback(urlsplit(self.base).hostname or "")

    def may_download(self, url: str) -> bool:
        """Whether a result may be fetched from `url`."""
        parts = _split(url)
        if parts is None:
            return False
        if self.is_local:
            return f"{parts.scheme}://{parts.netloc}" == self.base
        host = parts.hostname or ""
        return parts.scheme == "https" and parts.port in (None, 443) and _RESULT_HOST.fullmatch(host) is not None


DID = Service("https://api.d-id.com")


def local_service(url: str) -> Service:
    """A fake for tests. Raises InputError for anything that is not on this machine: it would be sent the key."""
    parts = _split(url.strip().rstrip("/"))
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not _is_loopback(parts.hostname or "")
        or parts.path
        or parts.query
        or parts.fragment
    ):
        raise InputError(
            expected="LIPSYNC_STUDIO_DID_URL to be an address of this machine, such as http://127.0.0.1:8000",
            got="another address",
            next_step="Unset it: it is for tests only, and D-ID's own address needs no setting.",
        )
    return Service(f"{parts.scheme}://{parts.netloc}")


def _split(url: str) -> SplitResult | None:
    """The parts of `url`; None when it is none, or when programs could read it in different ways."""
    if not url.isascii() or not url.isprintable() or any(sign in url for sign in ' \\"<>'):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return None if "@" in parts.netloc else parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
