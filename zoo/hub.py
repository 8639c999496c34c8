"""Models on a hub that speaks the protocol of huggingface.co, named as `hf://owner/name@revision`.

Only this module uses `huggingface_hub`, and only when such a name is given.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.files import read_json, read_text, sha256

SCHEME = "hf:"

# pathlib makes one slash of two.
_ADDRESS = re.compile(r"hf:/{1,2}(?P<repo>\w[\w.-]*/\w[\w.-]*)(?:@(?P<revision>\w[\w./-]*))?", re.ASCII)
_WANTED = re.compile(r"(model\.keras|config\.json|metrics\.json|model\.[\w]+\.tflite)", re.ASCII)
"""Files that are fetched: no code, and nothing else that somebody may have put there."""

_PUSHED = re.compile(rf"({_WANTED.pattern}|\w+\.png)", re.ASCII)
_MOST_BYTES = 1 << 30
_PARENT = re.compile(r"\[([^\]]*)\]\(\.\./[^)]*\)")
"""A link of a card to the sources, which are not on the hub."""

_CHECKOUT = Path(__file__).parents[1]
_OURS = (Path(__file__).parent / "saved_models", _CHECKOUT / "saved_models")
"""Folders of the presets, which have the license of the zoo; in a wheel and in a checkout."""


def parse(address: str) -> tuple[str, str | None]:
    """The repository and the revision of an address."""
    found = _ADDRESS.fullmatch(str(address))
    if found is None:
        raise ZooError(f"{address}: expected hf://owner/name, or hf://owner/name@revision")
    return found["repo"], found["revision"]


def fetch(address: str) -> Path:
    """Downloads a model, or finds it among those that were downloaded before if the hub cannot be reached."""
    repo, revision = parse(address)
    hub = _library()
    with _explained(address):
        try:
            info = hub.HfApi().model_info(repo, revision=revision, files_metadata=True)
        except Exception as error:
            # What a hub that works has refused, it does not have.
            status = getattr(getattr(error, "response", None), "status_code", 503)
            if status < 500 and status != 429:
                raise
            if (folder := _downloaded(address, hub, repo, revision)) is None:
                raise
            return folder
        listed = {file.rfilename: file for file in info.siblings or () if _WANTED.fullmatch(file.rfilename)}
        if "model.keras" not in listed:
            raise ZooError(f"{address}: holds no model.keras; expected a model that `zoo push` wrote")
        if (size := sum(file.size or 0 for file in listed.values())) > _MOST_BYTES:
            raise ZooError(f"{address}: has {size} bytes; expected at most {_MOST_BYTES}")
        # The model comes last: where it is, the rest is.
        for name in sorted(listed, key=lambda name: name == "model.keras"):
            # A branch may move between listing and download, so all files are those of one commit.
            file = Path(hub.hf_hub_download(repo, name, revision=info.sha))
            lfs = listed[name].lfs
            _check(address, file, listed[name].blob_id if lfs is None else lfs.sha256)
        if revision != info.sha:
            # The layout of the cache is documented; by this file, the branch is found again without the hub.
            pointer = file.parents[2] / "refs" / (revision or "main")
            pointer.parent.mkdir(parents=True, exist_ok=True)
            pointer.write_text(info.sha, encoding="utf-8")
    return file.parent


def _downloaded(address: str, hub: Any, repo: str, revision: str | None) -> Path | None:
    """The folder of a model that was downloaded before."""
    file = hub.try_to_load_from_cache(repo, "model.keras", revision=revision)
    if not isinstance(file, str):
        return None
    for link in Path(file).parent.iterdir():
        # The cache calls files by their hashes, where the system has links.
        if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", link.resolve().name):
            _check(address, link, link.resolve().name)
    return Path(file).parent


def _check(address: str, file: Path, expected: str) -> None:
    """Compares a file with its hash: SHA-256 of its content, or SHA-1 of the content as git stores it."""
    if len(expected) == 64:
        digest = sha256(file)
    else:
        content = file.read_bytes()
        digest = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    if digest != expected:
        # The next attempt downloads it again.
        file.resolve().unlink()
        raise ZooError(f"{address}: {file.name} has the hash {digest[:12]}; the hub lists {expected[:12]}: try again")


def push(folder: Path, address: str, *, private: bool = False) -> str:
    """Publishes the model in a folder; returns the address with the commit, which always means the same files."""
    repo, revision = parse(address)
    if revision is not None:
        raise ZooError(f"{address}: names a revision; push to hf://{repo}")
    names = sorted(path.name for path in folder.iterdir() if _PUSHED.fullmatch(path.name) and path.is_file())
    if "model.keras" not in names or "config.json" not in names:
        raise ZooError(f"{folder}: holds no model.keras and config.json; expected a folder that `zoo train` wrote")
    hub = _library()
    content: dict[str, Any] = {name: str(folder / name) for name in names}
    content["README.md"] = card(folder, repo).encode()
    if text := _license(folder):
        content["LICENSE"] = text.encode()
    with _explained(address):
        api = hub.HfApi()
        api.create_repo(repo, exist_ok=True, private=private)
        added = [hub.CommitOperationAdd(*item) for item in content.items()]
        commit = api.create_commit(repo, added, commit_message=f"Publish {folder.resolve().name}")
    return f"hf://{repo}@{commit.oid}"


def card(folder: Path, repo: str) -> str:
    """The page of a model on the hub: its card below the header that the hub reads."""
    # The license of the training data, which the card states, is not that of the model.
    terms = {"license": "other", "license_name": "not stated"}
    if (folder / "LICENSE").is_file():
        terms = {"license": "other", "license_name": "see LICENSE", "license_link": "LICENSE"}
    elif folder.resolve().parent in _OURS:
        terms = {"license": "mit"}
    tags = ["pocket-zoo", "keras", "tflite", "litert", read_json(folder / "config.json").get("class", "")]
    header: dict[str, Any] = {**terms, "library_name": "keras", "tags": tags}
    # JSON is YAML: whatever is in a name stays a text.
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in header.items()]
    use = f'```python\nfrom zoo import Model\n\nmodel = Model.from_preset("hf://{repo}")\n```'
    page = folder / "card.md"
    text = _PARENT.sub(r"\1", read_text(page)) if page.is_file() else f"# {repo.partition('/')[2]}\n"
    return "---\n" + "\n".join(lines) + f"\n---\n\n{text.rstrip()}\n\n## Use\n\n{use}\n"


def _license(folder: Path) -> str | None:
    """The license of a model: what its owner put into its folder; of a preset, that of the zoo."""
    is_ours = folder.resolve().parent in _OURS
    for file in (folder / "LICENSE", *([_CHECKOUT / "LICENSE"] if is_ours else [])):
        if file.is_file():
            return read_text(file)
    return distribution("pocket-zoo").read_text("licenses/LICENSE") if is_ours else None


def _library() -> Any:
    try:
        hub = import_module("huggingface_hub")
    except ImportError:
        raise ZooError("hf:// needs the package huggingface_hub: pip install 'pocket-zoo[hub]'") from None
    import_module("huggingface_hub.utils").disable_progress_bars()
    return hub


_CAUSES: Mapping[str, str] = {
    "RevisionNotFoundError": "no such revision; expected a branch, a tag or a commit",
    "GatedRepoError": "asks for its owner's permission: ask for it on its page, then log in with `hf auth login`",
    "RepositoryNotFoundError": "no such model, or it is private: log in with `hf auth login` if it is yours",
    "LocalTokenNotFoundError": "needs your token: log in with `hf auth login`",
    "OfflineModeIsEnabled": "not fetched before, and HF_HUB_OFFLINE is set: unset it once",
}


@contextmanager
def _explained(address: str) -> Iterator[None]:
    """Turns what the library raises into one line."""
    try:
        yield
    except ZooError:
        raise
    except Exception as error:
        # It raises errors of its own, of its client for HTTP, of the system, and ValueError.
        kinds = [kind.__name__ for kind in type(error).__mro__]
        cause = next((_CAUSES[name] for name in _CAUSES if name in kinds), "")
        status = getattr(getattr(error, "response", None), "status_code", None)
        if not cause and status in (401, 403):
            cause = "not allowed: log in with `hf auth login`, with a token that may write"
        if not cause:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            endpoint = import_module("huggingface_hub.constants").ENDPOINT
            met = "cannot be reached" if status is None else "did not answer as a hub does"
            cause = f"{endpoint} {met} ({reason}): check the network, and HF_ENDPOINT if it is set"
        raise ZooError(f"{address}: {cause}") from error
