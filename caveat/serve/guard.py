"""What every request must bring, and what every answer says to the browser."""

from __future__ import annotations

import secrets
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "caveat-token-{port}"
"""A browser keeps those of one machine together, whichever port they are of: a second server's would replace the first one's."""
HEADER = "x-caveat"
"""Of every request that changes something. A page of another site cannot set it without asking first, which nobody answers."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
"""Of report.html, which is one file: it runs nothing, fetches nothing and knows nothing of the page around it."""
HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Guard:
    """ASGI middleware.

    Args:
        app: behind it.
        token: that a browser brings once, as `/?token=...`, and then as a cookie that no script can read; "" asks for none.
    """

    def __init__(self, app: ASGIApp, token: str = "") -> None:
        self.app, self.token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(Request(scope)) or self.app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        cookie = COOKIE.format(port=request.scope["server"][1])
        if self.token and not self._is(request.cookies.get(cookie, "")):
            if request.url.path != "/" or not self._is(request.query_params.get("token", "")):
                return PlainTextResponse("open the address with the token that the server printed", HTTPStatus.UNAUTHORIZED)
            answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
            answer.set_cookie(cookie, self.token, httponly=True, samesite="strict")
            return answer
        if request.method not in ("GET", "HEAD") and request.headers.get(HEADER) != "1":
            return PlainTextResponse(f"the header {HEADER} is missing", HTTPStatus.FORBIDDEN)
        return None

    def _is(self, token: str) -> bool:
        return secrets.compare_digest(token.encode("utf-8", "replace"), self.token.encode("utf-8"))
