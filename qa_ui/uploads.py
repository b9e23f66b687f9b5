"""Bodies of requests: no more than may come; and files, before they reach the disk, by size, number and kind.

Gradio writes an upload to a file as it comes. So what may not come is refused while it is still being read: each
chunk goes through the parser here first, and is passed on only if nothing is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from qa.articles import MAX_BYTES
from qa.containers import TABLE_BYTES
from qa.finding import MANY, kind
from qa.library import UPLOAD_FILES

PATH = "/gradio_api/upload"
AROUND_BYTES = 1_000_000  # of a request, around its files
UPLOAD_BYTES = TABLE_BYTES + AROUND_BYTES  # of a request


class RefusedUploadError(MultiPartException):
    """An upload that is not taken; ``status`` says why as HTTP does.

    Of the kind at which Gradio deletes what it has written of a request so far.
    """

    def __init__(self, status: int) -> None:
        super().__init__("refused")
        self.status = status


class Upload:
    """``receive`` for a request with files, which ends where one comes that may not.

    :param types: the values of its Content-Type headers.
    :raises RefusedUploadError: 413 for a file that is too large, or too many; 415 for one of a kind that is not read,
        and for what is no file; 400 for what cannot be understood, or breaks off.
    """

    def __init__(self, receive: Receive, types: Sequence[bytes]) -> None:
        self._receive = receive
        self.refused = 0  # the status, once something was
        form, options = parse_options_header(types[0] if len(types) == 1 else b"")
        boundary = options.get(b"boundary", b"")
        if form != b"multipart/form-data" or not 0 < len(boundary) <= 70:
            raise RefusedUploadError(415)
        self._ended = False
        self._files = 0
        self._left = 0  # bytes that the present file may still have
        self._name = self._value = b""
        self._has_file = False
        self._parser = MultipartParser(boundary, {
            "on_part_begin": self._begins, "on_header_field": self._names, "on_header_value": self._values,
            "on_header_end": self._header, "on_headers_finished": self._file, "on_part_data": self._data,
        })  # fmt: skip

    async def __call__(self) -> Message:
        """The next message, if all in it may come."""
        message = await self._receive()
        if self._ended:
            return message
        try:
            if message["type"] == "http.disconnect":
                raise RefusedUploadError(400)
            self._parser.write(message.get("body", b""))
        except RefusedUploadError as error:
            self.refused = error.status
            raise
        except MultipartParseError:
            self.refused = 400
            raise RefusedUploadError(400) from None
        self._ended = not message.get("more_body")
        return message

    def _begins(self) -> None:
        self._files += 1
        if self._files > UPLOAD_FILES:
            raise RefusedUploadError(413)
        self._has_file, self._left = False, 0

    def _names(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _values(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        name, value = self._name.lower(), self._value
        self._name = self._value = b""
        if name != b"content-disposition":
            return
        _, options = parse_options_header(value)
        what = kind(options.get(b"filename", b"").decode("utf-8", "replace"))
        if not what or self._has_file:
            raise RefusedUploadError(415)
        self._has_file, self._left = True, TABLE_BYTES if what in MANY else MAX_BYTES

    def _file(self) -> None:
        if not self._has_file:
            raise RefusedUploadError(415)

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._left -= end - start
        if self._left < 0:
            raise RefusedUploadError(413)


class Body:
    """``receive`` that ends when more comes than may, or in an upload what may not."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self._too_long = False
        self.upload: Upload | None = None

    @property
    def refused(self) -> int:
        """The status that the rest of the body was turned away with; 0 if it was not."""
        return 413 if self._too_long else self.upload.refused if self.upload else 0

    def announced(self, headers: Mapping[str, str]) -> bool:
        """Whether the request itself says that it is too long, or how long it is in no number."""
        length = headers.get("content-length", "0")
        return not (length.isascii() and length.isdigit()) or int(length) > self._left

    async def __call__(self) -> Message:
        """The next message, if all in it may come."""
        return await (self.upload or self.counted)()

    async def counted(self) -> Message:
        """The next message, if it is not too much."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self._too_long = True
                raise RefusedUploadError(413)
        return message
