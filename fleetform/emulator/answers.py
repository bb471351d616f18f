"""A log of recent answers, so that a retried request is answered but not carried out again."""

from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# AWS's SDKs send this header with each request, with the same value when they retry:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_INVOCATION = "HTTP_AMZ_SDK_INVOCATION_ID"
_KEPT = 256
_CHANGING = {"DELETE", "PATCH", "POST", "PUT"}


class AnswerLog:
    """The latest answers to requests that change something.

    On a busy machine an answer can be lost after its request was carried out. Then the SDK retries, and an
    error that AWS would not report, such as a rule that already exists, would fail the apply.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Response] = OrderedDict()

    def once(self, environ: "WSGIEnvironment", answer: Callable[[], Response]) -> Response:
        """Answer a request, from the log if it was carried out before.

        The emulator's own errors are not kept.
        """
        invocation = environ.get(_INVOCATION) if environ["REQUEST_METHOD"] in _CHANGING else None
        if invocation is not None and invocation in self._kept:
            return self._kept[invocation]
        response = answer()
        if invocation is not None and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._kept[invocation] = response
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return response
