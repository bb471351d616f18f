"""Answers that may have been lost on their way, to be given again."""

from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# AWS's SDKs send it with each request, and the same one when they try again:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_INVOCATION = "HTTP_AMZ_SDK_INVOCATION_ID"
_KEPT = 256
_CHANGING = {"DELETE", "PATCH", "POST", "PUT"}


class AnswerLog:
    """The last answers to requests that change something.

    On a busy machine an answer can be lost after its request was carried out. The SDK then tries again, and what AWS
    bears, a rule that is there or gone already, would end an apply.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Response] = OrderedDict()

    def once(self, environ: "WSGIEnvironment", answer: Callable[[], Response]) -> Response:
        """The answer to a request, which is carried out unless it was before; failures of ours are not kept."""
        invocation = environ.get(_INVOCATION) if environ["REQUEST_METHOD"] in _CHANGING else None
        if invocation is not None and invocation in self._kept:
            return self._kept[invocation]
        response = answer()
        if invocation is not None and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._kept[invocation] = response
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return response
