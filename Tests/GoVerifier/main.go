// Verifies an export of Quipu with nobody's code of ours: the tree's arithmetic and the signature are those of Go's
// checksum database, golang.org/x/mod/sumdb/tlog and note; what is here only reads files and writes lines anew.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o verifier ./Tests/GoVerifier
//	verifier FOLDER VKEY
//
// Exit code 0: verified. 1: refused. 2: called wrongly.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: verifier FOLDER VKEY")
		os.Exit(2)
	}
	verifier, err := note.NewVerifier(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "the key:", err)
		os.Exit(2)
	}
	summary, err := verify(os.Args[1], verifier)
	if err != nil {
		fmt.Fprintln(os.Stderr, "REFUSED", err)
		os.Exit(1)
	}
	fmt.Println("VERIFIED", summary)
}

func verify(folder string, verifier note.Verifier) (string, error) {
	tree, err := openCheckpoint(folder, verifier)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	manifest, err := openManifest(folder, verifier)
	if err != nil {
		return "", fmt.Errorf("manifest: %w", err)
	}
	if manifest.size != tree.N || manifest.root != tree.Hash {
		return "", errors.New("manifest: of another checkpoint")
	}
	if err := checkFiles(folder, tree.N, manifest.hasEntries); err != nil {
		return "", err
	}
	leaves, err := readLeaves(folder, tree)
	if err != nil {
		return "", err
	}
	export := &export{tree: tree, manifest: manifest, leaves: leaves, names: map[id]string{}, due: map[id]bool{}}
	if err := export.readNames(filepath.Join(folder, "names.jsonl")); err != nil {
		return "", fmt.Errorf("names.jsonl: %w", err)
	}
	if err := export.readEvents(filepath.Join(folder, "events.jsonl")); err != nil {
		return "", fmt.Errorf("events.jsonl: %w", err)
	}
	if manifest.hasEntries {
		if err := export.checkEntries(folder); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d events of %d", len(export.offsets), tree.N), nil
}

// open opens a note that the log signed, and that stands in the file as it would be written.
func open(path string, verifier note.Verifier) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return "", err
	}
	// The package takes base 64 whose unused bits are set, so that some changes of a signature would go unnoticed.
	for _, signature := range append(opened.Sigs, opened.UnverifiedSigs...) {
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return "", err
		}
	}
	return opened.Text, nil
}

// openCheckpoint reads C2SP's tlog-checkpoint, whose first line is the name of the log; that of the checksum database
// is another.
func openCheckpoint(folder string, verifier note.Verifier) (tlog.Tree, error) {
	text, err := open(filepath.Join(folder, "checkpoint"), verifier)
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("not three lines with the log's name first")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, errors.New("no size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return tlog.Tree{}, errors.New("no root")
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// checkFiles looks whether all files of an export are there, and nothing else.
func checkFiles(folder string, size int64, hasEntries bool) error {
	missing := map[string]bool{"checkpoint": true, "manifest": true, "names.jsonl": true, "events.jsonl": true}
	for level := 0; size>>(8*level) > 0; level++ {
		count := size >> (8 * level)
		for n := int64(0); n<<8 < count; n++ {
			missing[tilePath(tileAt(level, n, size))] = true
			if level == 0 && hasEntries {
				missing[tilePath(tileAt(-1, n, size))] = true
			}
		}
	}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		if !missing[name] || !entry.Type().IsRegular() {
			return fmt.Errorf("%s: no part of the export", name)
		}
		delete(missing, name)
		return nil
	})
	if err != nil {
		return err
	}
	for name := range missing {
		return fmt.Errorf("%s: missing", name)
	}
	return nil
}

// tileAt is tile n of a level, as wide as it is in a tree of that size; level -1 is that of the entries.
func tileAt(level int, n, size int64) tlog.Tile {
	hashes := size
	if level > 0 {
		hashes >>= 8 * level
	}
	width := hashes - n<<8
	if width > 256 {
		width = 256
	}
	return tlog.Tile{H: 8, L: level, N: n, W: int(width)}
}

// tilePath is where C2SP's tlog-tiles has a tile; the checksum database has the height in it, and calls entries data.
func tilePath(tile tlog.Tile) string {
	level := "entries"
	if tile.L >= 0 {
		level = strconv.Itoa(tile.L)
	}
	path := fmt.Sprintf("%03d", tile.N%1000)
	for n := tile.N / 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	path = "tile/" + level + "/" + path
	if tile.W < 256 {
		path += ".p/" + strconv.Itoa(tile.W)
	}
	return path
}

// tiles reads hashes from the tiles of an export, each of which it keeps.
type tiles struct {
	folder string
	size   int64
	known  map[tlog.Tile][]byte
}

func (tiles *tiles) read(tile tlog.Tile) ([]byte, error) {
	if data, isKnown := tiles.known[tile]; isKnown {
		return data, nil
	}
	data, err := os.ReadFile(filepath.Join(tiles.folder, tilePath(tile)))
	if err == nil && len(data) != tile.W*tlog.HashSize {
		err = fmt.Errorf("%s: %d bytes", tilePath(tile), len(data))
	}
	tiles.known[tile] = data
	return data, err
}

// ReadHashes makes this a tlog.HashReader.
func (tiles *tiles) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		least := tlog.TileForIndex(8, index)
		tile := tileAt(least.L, least.N, tiles.size)
		data, err := tiles.read(tile)
		if err != nil {
			return nil, err
		}
		hash, err := tlog.HashFromTile(tile, data, index)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// readLeaves gives the hashes of all leaves, after looking at every tile.
//
// Not by tlog.TileHashReader: that of Debian 12 doesn't hold a tile against the one above it if the root follows from
// few tiles, and so lets a changed one pass.
func readLeaves(folder string, tree tlog.Tree) ([]tlog.Hash, error) {
	tiles := &tiles{folder, tree.N, map[tlog.Tile][]byte{}}
	if tree.N == 0 {
		if tree.Hash != sha256.Sum256(nil) {
			return nil, errors.New("checkpoint: not the root of an empty tree")
		}
		return nil, nil
	}
	// The tiles at the right edge, and whatever else the root follows from.
	root, err := tlog.TreeHash(tree.N, tiles)
	if err != nil {
		return nil, err
	}
	if root != tree.Hash {
		return nil, errors.New("tile: the tiles at the right edge don't lead to the root")
	}
	// Each whole tile gives the hash that the one above it has for it.
	for level := 0; tree.N>>(8*level) >= 256; level++ {
		for n := int64(0); (n+1)<<8 <= tree.N>>(8*level); n++ {
			hashes, err := tiles.ReadHashes([]int64{
				tlog.StoredHashIndex(8*level+7, 2*n), tlog.StoredHashIndex(8*level+7, 2*n+1),
				tlog.StoredHashIndex(8*level+8, n),
			})
			if err != nil {
				return nil, err
			}
			if tlog.NodeHash(hashes[0], hashes[1]) != hashes[2] {
				return nil, fmt.Errorf("%s: not what the tile above it says", tilePath(tileAt(level, n, tree.N)))
			}
		}
	}
	var leaves []tlog.Hash
	for n := int64(0); n<<8 < tree.N; n++ {
		data, err := tiles.read(tileAt(0, n, tree.N))
		if err != nil {
			return nil, err
		}
		for ; len(data) > 0; data = data[tlog.HashSize:] {
			var hash tlog.Hash
			copy(hash[:], data)
			leaves = append(leaves, hash)
		}
	}
	return leaves, nil
}

// checkEntries holds the entries of all events against the leaves, against each other, and against what was exported:
// nothing that was selected may be missing.
func (export *export) checkEntries(folder string) error {
	revisions := map[id]uint64{}
	last := uint64(0)
	exported := export.offsets
	for n := int64(0); n<<8 < export.tree.N; n++ {
		tile := tileAt(-1, n, export.tree.N)
		bundle, err := os.ReadFile(filepath.Join(folder, tilePath(tile)))
		if err != nil {
			return err
		}
		for i := 0; i < tile.W; i++ {
			index := n<<8 + int64(i)
			fail := func(what string) error { return fmt.Errorf("%s: entry %d: %s", tilePath(tile), i, what) }
			if len(bundle) < 2 || len(bundle) < 2+int(bundle[0])<<8+int(bundle[1]) {
				return fail("cut off")
			}
			length := int(bundle[0])<<8 + int(bundle[1])
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			if tlog.RecordHash(entry) != export.leaves[index] {
				return fail("not in the tree")
			}
			if length != entryLength {
				return fail("of another length")
			}
			header := parseHeader(entry)
			if header.problem != "" {
				return fail(header.problem)
			}
			if bigEndian(entry[headerLength:]) != uint64(index)+1 || header.time < last {
				return fail("in another's place")
			}
			last = header.time
			revisions[header.stream]++
			if header.revision != revisions[header.stream] {
				return fail("a gap in the revisions of its stream")
			}
			if export.manifest.selects(header) {
				if len(exported) == 0 || exported[0] != uint64(index)+1 {
					return fail("selected, but not in events.jsonl")
				}
				exported = exported[1:]
			}
		}
		if len(bundle) > 0 {
			return fmt.Errorf("%s: too long", tilePath(tile))
		}
	}
	if len(exported) > 0 {
		return errors.New("events.jsonl: events that aren't among the entries")
	}
	return nil
}
