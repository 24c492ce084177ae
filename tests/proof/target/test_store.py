"""The cache under several processes, killed ones among them."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clearhouse.proof.cache import cache_root
from clearhouse.proof.target.store import (
    Store,
    file_sha256,
    link_tree,
    remove_tree,
    tree_digest,
)


def test_the_cache_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CLEARHOUSE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_root() == tmp_path / "home/.cache/clearhouse"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg/clearhouse"
    monkeypatch.setenv("CLEARHOUSE_CACHE", str(tmp_path / "own"))
    assert cache_root() == tmp_path / "own"


def test_staging_leaves_nothing_behind(store: Store) -> None:
    with store.staging() as folder:
        (folder / "half").write_text("x")
        kept = folder
    assert not kept.exists()


def test_the_first_to_publish_wins_and_the_second_sees_it(store: Store) -> None:
    final = store.path("trees", "one")
    for content in ("first", "second"):
        with store.staging() as folder:
            staged = folder / "tree"
            staged.mkdir()
            (staged / "file").write_text(content)
            assert store.publish(staged, final) == final
    assert (final / "file").read_text() == "first"


def test_json_comes_back_and_half_written_json_is_nothing(store: Store) -> None:
    store.write_json({"a": ["é", "\udcff"]}, "kind", "one.json")
    assert store.read_json("kind", "one.json") == {"a": ["é", "\udcff"]}
    store.path("kind", "one.json").write_text('{"a": ')
    assert store.read_json("kind", "one.json") is None
    assert store.read_json("kind", "never.json") is None


_HOLD = """
import sys
from pathlib import Path
from clearhouse.proof.target.store import Store
store = Store(Path(sys.argv[1]))
with store.staging() as folder:
    (folder / "half").write_text("x")
    (folder / "locked").mkdir(mode=0o500)
    print(folder, flush=True)
    sys.stdin.read()
"""


def _holder(cache: Path) -> tuple[subprocess.Popen[str], Path]:
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(cache)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    return child, Path(child.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    child, folder = _holder(tmp_path)
    with child:
        assert (folder / "half").is_file()
        child.send_signal(signal.SIGKILL)
    Store(tmp_path)
    assert not folder.exists()
    assert not folder.parent.exists()


def test_what_a_living_process_works_on_is_left_alone(tmp_path: Path) -> None:
    child, folder = _holder(tmp_path)
    with child:
        Store(tmp_path)
        assert (folder / "half").is_file()
        child.communicate("", timeout=30)
    assert not folder.exists()


def test_a_child_made_by_fork_does_not_clean_up_its_parents_work(tmp_path: Path) -> None:
    script = f"""
import os, sys
from pathlib import Path
from clearhouse.proof.target.store import Store
store = Store(Path({str(tmp_path)!r}))
with store.staging() as folder:
    child = os.fork()
    if not child:
        sys.exit(0)
    os.waitpid(child, 0)
    print(folder.is_dir())
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.stdout.splitlines()[-1:] == ["True"], answer.stderr


def test_many_starts_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    def work(number: int) -> None:
        for step in range(20):
            own = Store(tmp_path)
            own.write_json([number, step], "kind", f"{number}.json")
            assert own.read_json("kind", f"{number}.json") == [number, step]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))


def test_linked_files_share_their_bytes_and_do_not_replace_what_is_there(tmp_path: Path) -> None:
    source, destination = tmp_path / "source", tmp_path / "destination"
    source.mkdir()
    (destination / "b").mkdir(parents=True)
    (source / "file").write_text("new")
    (destination / "b/there").write_text("old")
    (destination / "c").write_text("a file where a folder is wanted")
    link_tree(source, destination, {"a/x": "file", "b/there": "file", "c/y": "file"})
    assert (destination / "a/x").samefile(source / "file")
    assert (destination / "b/there").read_text() == "old"
    assert (destination / "c").is_file()


def test_a_digest_tells_content_name_and_executable_bit_apart(tmp_path: Path) -> None:
    def digest(name: str, content: str, mode: int) -> str:
        folder = tmp_path / f"{name}-{content}-{mode}"
        folder.mkdir()
        (folder / name).write_text(content)
        (folder / name).chmod(mode)
        return tree_digest(folder)

    kinds = [("a", "1", 0o444), ("b", "1", 0o444), ("a", "2", 0o444), ("a", "1", 0o555)]
    assert len({digest(*kind) for kind in kinds}) == 4
    assert digest("a", "1", 0o644) == tree_digest(tmp_path / "a-1-292")


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(tmp_path / "abc") == expected


def test_a_tree_with_read_only_folders_can_be_removed(tmp_path: Path) -> None:
    inner = tmp_path / "tree/inner"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    inner.chmod(0o500)
    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
