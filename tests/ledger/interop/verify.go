// Verifies an exported log with golang.org/x/mod alone: signed notes, cosignatures, tiles, inclusion and consistency.
//
// Usage: verify DIR OLD…  where DIR holds a log's public tree and `proofs` (files X.leaf and X.tlog-proof), and each OLD
// an old size, its root and our consistency proof. Prints what was verified; any failure ends it with status 1.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// cosigner verifies cosignature/v1 lines (note type 0x04), which sumdb/note leaves to its callers.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), msg...), sig[8:])
}

func newCosigner(vkey string) note.Verifier {
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	check(err)
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if key[0] != 4 || fmt.Sprintf("%x", sum[:4]) != parts[1] {
		fail("the cosigner's key id does not belong to it")
	}
	return &cosigner{parts[0], binary.BigEndian.Uint32(sum[:]), ed25519.PublicKey(key[1:])}
}

var verifiers []note.Verifier

// open verifies a checkpoint by the log's key and all cosigners, and returns its tree.
func open(data []byte) tlog.Tree {
	opened, err := note.Open(data, note.VerifierList(verifiers...))
	check(err)
	if len(opened.Sigs) != len(verifiers) {
		fail(fmt.Sprintf("%d of %d lines verify", len(opened.Sigs), len(verifiers)))
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}
}

func main() {
	dir := os.Args[1]
	log, err := note.NewVerifier(strings.TrimSpace(read(dir, "log.vkey")))
	check(err)
	verifiers = append(verifiers, log)
	for _, vkey := range strings.Fields(read(dir, "witnesses.vkey")) {
		verifiers = append(verifiers, newCosigner(vkey))
	}
	tree := open([]byte(read(dir, "checkpoint")))
	count, hashes := entries(dir, tree)
	fmt.Println("entries", count)
	fmt.Println("proofs", proofs(filepath.Join(dir, "proofs")))
	fmt.Println("consistent", consistent(os.Args[2:], tree, hashes))
}

// entries grows the tree again from the entries, by tlog's own means, and compares root and every tile.
func entries(dir string, tree tlog.Tree) (count int64, hashes tlog.HashReaderFunc) {
	var stored []tlog.Hash
	hashes = func(indexes []int64) (found []tlog.Hash, err error) {
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	}
	for n := int64(0); n*256 < tree.N; n++ {
		width := tree.N - n*256
		if width > 256 {
			width = 256
		}
		data := []byte(read(dir, path(tlog.Tile{H: 8, L: -1, N: n, W: int(width)})))
		for ; len(data) > 0; count++ {
			end := 2 + int(binary.BigEndian.Uint16(data))
			more, err := tlog.StoredHashes(count, data[2:end], hashes)
			check(err)
			stored = append(stored, more...)
			data = data[end:]
		}
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	check(err)
	if count != tree.N || root != tree.Hash {
		fail("the entries do not lead to the signed root")
	}
	tiles := tlog.NewTiles(8, 0, tree.N)
	for i, tile := range tiles {
		if i+1 < len(tiles) && tiles[i+1].L == tile.L && tiles[i+1].N == tile.N {
			continue // it lists each width that a partial tile has had
		}
		data, err := tlog.ReadTileData(tile, hashes)
		check(err)
		if string(data) != read(dir, path(tile)) {
			fail("another tile than " + path(tile))
		}
	}
	return count, hashes
}

// path is a tile's path in a C2SP tree, which leaves out the height that tlog's paths carry.
func path(tile tlog.Tile) string {
	name := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
	return strings.Replace(name, "tile/8/", "tile/", 1)
}

// proofs checks each tlog-proof: its checkpoint's lines, and that its leaf is included.
func proofs(dir string) (count int) {
	files, err := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	check(err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		check(err)
		leaf, err := os.ReadFile(strings.TrimSuffix(file, ".tlog-proof") + ".leaf")
		check(err)
		head, checkpoint, _ := bytes.Cut(data, []byte("\n\n"))
		lines := strings.Split(string(head), "\n")
		if lines[0] != "c2sp.org/tlog-proof@v1" {
			fail("not a tlog-proof")
		}
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		check(err)
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			hash, err := tlog.ParseHash(line)
			check(err)
			proof = append(proof, hash)
		}
		tree := open(checkpoint)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)))
		count++
	}
	return count
}

// consistent checks files with an old size, its root and our proof, one a line.
func consistent(files []string, tree tlog.Tree, hashes tlog.HashReader) (count int) {
	for _, file := range files {
		data, err := os.ReadFile(file)
		check(err)
		lines := strings.Fields(string(data))
		old, err := strconv.ParseInt(lines[0], 10, 64)
		check(err)
		root, err := tlog.ParseHash(lines[1])
		check(err)
		var proof tlog.TreeProof
		for _, line := range lines[2:] {
			hash, err := tlog.ParseHash(line)
			check(err)
			proof = append(proof, hash)
		}
		check(tlog.CheckTree(proof, tree.N, tree.Hash, old, root))
		theirs, err := tlog.ProveTree(tree.N, old, hashes)
		check(err)
		if fmt.Sprint(theirs) != fmt.Sprint(proof) {
			fail("another consistency proof than ours")
		}
		count++
	}
	return count
}

func read(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	check(err)
	return string(data)
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
