"""What the doubles of the one HTTP client have in common."""

from collections.abc import AsyncIterator, Mapping

from connector.identity.ports import Response, Write


class NoDownload:
    """A `Fetch` through which nothing large is fetched."""

    async def download(
        self,
        url: str,
        write: Write,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int,
        timeout: float = 0,  # noqa: ASYNC109
    ) -> Response:
        raise AssertionError(f"nothing is downloaded here: {url}")

    async def upload(
        self,
        url: str,
        body: AsyncIterator[bytes],
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 0,  # noqa: ASYNC109
    ) -> Response:
        raise AssertionError(f"nothing is uploaded here: {url}")
