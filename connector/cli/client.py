"""The caller's side of the management API: where the node is, who calls, and its answers."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import quote

from policies.problem import Problem

if TYPE_CHECKING:
    import httpx

_TIMEOUT: Final = 600.0


class ApiProblem(Problem):
    """A problem document as the node sent it, told in the node's own words."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(str(document.get("code", "cli-bad-answer")), **document.get("params", {}))
        self._document = dict(document)

    def document(self) -> dict[str, object]:
        """The document unchanged."""
        return self._document

    def text(self, lang: str) -> str:
        """The sentence in the language asked for."""
        return str(self._document.get(lang, self.code))

    def remedy(self, lang: str) -> str:
        """What to do next."""
        do = self._document.get("do")
        return str(do.get(lang, "")) if isinstance(do, dict) else ""


@dataclass(frozen=True, slots=True)
class Client:
    """One node's management API and the caller's token."""

    url: str
    token: str

    def get(self, path: str, **query: object) -> Any:
        """The JSON of a GET."""
        return self._json("GET", path, params={k: v for k, v in query.items() if v is not None})

    def delete(self, path: str, **query: object) -> Any:
        """The JSON that a DELETE answers."""
        return self._json("DELETE", path, params=query)

    def post(self, path: str, body: object = None) -> Any:
        """The JSON of a POST with a JSON body."""
        return self._json("POST", path, json=body if body is not None else {})

    def post_raw(self, path: str, body: bytes, media_type: str) -> Any:
        """The JSON of a POST with bytes of a media type."""
        return self._json("POST", path, content=body, headers={"Content-Type": media_type})

    def upload(self, path: str, parts: Mapping[str, tuple[str, BinaryIO]], **fields: str) -> Any:
        """The JSON of a multipart POST; files are streamed, in the order given."""
        return self._json("POST", path, files=dict(parts), data=fields)

    def download(self, path: str, target: Path) -> None:
        """Stream the body of a GET into a new file; nothing remains when it fails.

        Raises:
            Problem: `cli-not-written`: a full disk, or a folder that is none.
        """
        partial = target.with_name(target.name + ".partial")
        try:
            with self._session() as http, http.stream("GET", path) as answer:
                if answer.is_error:
                    answer.read()
                    _raise(answer)
                with partial.open("wb") as out:
                    for chunk in answer.iter_bytes():
                        out.write(chunk)
            partial.replace(target)
        except OSError as error:
            fault = error.strerror or "I/O"
            raise Problem("cli-not-written", path=str(target), fault=fault) from None
        finally:
            partial.unlink(missing_ok=True)

    def stream(self, path: str, out: BinaryIO) -> None:
        """Write the body that a POST answers to `out`, as it comes."""
        with self._session() as http, http.stream("POST", path) as answer:
            if answer.is_error:
                answer.read()
                _raise(answer)
            out.writelines(answer.iter_bytes())

    def _json(self, method: str, path: str, **options: Any) -> Any:
        with self._session() as http:
            answer = http.request(method, path, **options)
            if answer.is_error:
                _raise(answer)
            return answer.json() if answer.content else None

    @contextmanager
    def _session(self) -> "Iterator[httpx.Client]":
        import httpx

        try:
            with httpx.Client(
                base_url=self.url,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=_TIMEOUT,
                trust_env=False,
            ) as http:
                yield http
        except httpx.ConnectError:
            raise Problem("cli-no-node", url=self.url) from None
        except httpx.HTTPError as error:
            raise Problem("cli-broken-answer", url=self.url, fault=type(error).__name__) from None


def segment(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe="")


def connect(node: str | None, token_file: Path | None, token: str | None) -> Client:
    """The client for `--node` (a node's folder or a management URL) and the caller's token.

    Raises:
        Problem: `cli-which-node`, `cli-no-settings`, `cli-no-token`.
    """
    if not node:
        raise Problem("cli-which-node")
    if node.startswith(("http://", "https://")):
        return Client(node.rstrip("/"), _token(None, token_file, token))
    folder = Path(node)
    try:
        table = tomllib.loads((folder / "preau.toml").read_text(encoding="utf-8"))
        address = table.get("listen", {}).get("management", "127.0.0.1:8081")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise Problem("cli-no-settings", folder=str(folder)) from None
    return Client(f"http://{address}", _token(folder, token_file, token))


def _token(folder: Path | None, token_file: Path | None, token: str | None) -> str:
    if token_file is None and token:
        return token
    path = token_file or (folder / "tokens" / "operator" if folder else None)
    if path is None:
        raise Problem("cli-no-token", path="PREAU_TOKEN")
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise Problem("cli-no-token", path=str(path)) from None


def _raise(answer: "httpx.Response") -> None:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if isinstance(document, dict) and "code" in document:
        raise ApiProblem(document)
    raise Problem("cli-bad-answer", status=answer.status_code)
