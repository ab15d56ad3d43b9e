"""How an archive is reached: its address, and a session that knows who asks. Neither stands in a message or a log."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from ..reasons import StudyRefused

CREDENTIALS = "CAVEAT_PACS_CREDENTIALS"
"""Environment variable: what a file of credentials would hold."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Access:
    """Args: url: of the archive. session: authorised, with the certificates that it trusts."""

    url: str
    session: requests.Session


def access(url: str, credentials: Path | None = None, ca: Path | None = None) -> Access:
    """A way to an archive.

    Args:
        url: http or https. Over http nothing but this machine is given credentials.
        credentials: a file with one line, "user:password" or "Bearer token"; without one the environment variable is read.
        ca: certificates to trust in place of the system's.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0  # a port is checked when it is looked at
    except ValueError:
        known = False
    if not known:
        raise StudyRefused("WRONG_USAGE", "an archive's address begins with http:// or https:// and a host")
    if parts.username is not None:
        raise StudyRefused(
            "WRONG_USAGE", f"credentials stand in a file or in {CREDENTIALS}, not in an address that others can see"
        )
    session, secret = requests.Session(), _secret(credentials)
    if secret and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise StudyRefused("WRONG_USAGE", "credentials are sent over https alone")
    if secret.startswith("Bearer "):
        session.headers["Authorization"] = secret
    elif secret:
        user, _, password = secret.partition(":")
        session.auth = (user, password)
    session.trust_env = False  # no proxy, and no .netrc that somebody else wrote
    session.max_redirects = 0  # images go to the machine that was named, and to no other that it names
    session.verify = str(ca) if ca else True
    return Access(parts.geturl().rstrip("/"), session)


def _secret(credentials: Path | None) -> str:
    if credentials is None:
        return os.environ.get(CREDENTIALS, "").strip()
    try:
        return credentials.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StudyRefused("WRONG_USAGE", f"the file of credentials cannot be read ({type(error).__name__})") from None
