"""The Go project's own implementation of transparency logs, on our checkpoint, key and tiles."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from clearhouse.ledger.tiles import tiles_of
from clearhouse.office.ledgerbook.keys import signing_key
from clearhouse.office.ledgerbook.models import LedgerEntry
from clearhouse.office.ledgerbook.queries import tile_content
from tests.office.ledgerbook.office import signed_ledger

GO = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
MODULE = "golang.org/x/mod@v0.24.0"
PROGRAM = r"""
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type files struct{}

func (files) Height() int { return 8 }
func (files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		content, err := os.ReadFile(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		found = append(found, content)
	}
	return found, nil
}
func (files) SaveTiles([]tlog.Tile, [][]byte) {}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return value
}

func main() {
	key := must(note.NewVerifier(strings.TrimSpace(string(must(os.ReadFile("key"))))))
	signed := must(note.Open(must(os.ReadFile("checkpoint")), note.VerifierList(key)))
	lines := strings.Split(signed.Text, "\n")
	size := must(strconv.ParseInt(lines[1], 10, 64))
	var root tlog.Hash
	copy(root[:], must(base64.StdEncoding.DecodeString(lines[2])))
	tree := tlog.Tree{N: size, Hash: root}
	reader := tlog.TileHashReader(tree, files{})
	leaf := must(os.ReadFile("leaf"))
	index := must(strconv.ParseInt(os.Args[1], 10, 64))
	proof := must(tlog.ProveRecord(size, index, reader))
	must(0, tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(leaf)))
	fmt.Println("included")
}
"""


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.django_db
@pytest.mark.skipif(GO is None, reason="Go is not installed")
def test_the_go_projects_implementation_finds_our_entries_by_our_tiles(tmp_path: Path) -> None:
    assert GO is not None
    signed = signed_ledger(256, 300, 57)
    for tile in tiles_of(signed.size):
        if tile.level is not None:
            path = tmp_path / tile.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tile_content(tile))
    (tmp_path / "checkpoint").write_text(signed.note)
    (tmp_path / "key").write_text(str(signing_key().verifier))
    (tmp_path / "main.go").write_text(PROGRAM)

    subprocess.run([GO, "mod", "init", "example.org/check"], cwd=tmp_path, check=True)
    fetched = subprocess.run([GO, "get", MODULE], cwd=tmp_path, capture_output=True, text=True)
    if fetched.returncode:
        pytest.skip(f"{MODULE} could not be fetched: {fetched.stderr[-200:]}")
    subprocess.run([GO, "build", "-o", "check", "."], cwd=tmp_path, check=True)
    for index in (0, 255, 256, 612):
        leaf = bytes(LedgerEntry.objects.get(index=index).leaf)
        (tmp_path / "leaf").write_bytes(leaf)
        done = subprocess.run(["./check", str(index)], cwd=tmp_path, capture_output=True, text=True)
        assert done.stdout == "included\n"
        (tmp_path / "leaf").write_bytes(leaf + b" ")
        done = subprocess.run(["./check", str(index)], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1
