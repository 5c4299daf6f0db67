// What an export is of, as the log has signed it.

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type manifest struct {
	size             int64
	root             tlog.Hash
	user, peer, room *id
	since, until     *uint64
	hasEntries       bool
	names, events    lines
}

// lines is how many lines a file has, and its SHA-256.
type lines struct {
	count  int64
	digest tlog.Hash
}

var keys = []string{"quipu", "size", "root", "user", "peer", "room", "since", "until", "entries", "names", "events"}

func openManifest(folder string, verifier note.Verifier) (*manifest, error) {
	text, err := open(filepath.Join(folder, "manifest"), verifier)
	if err != nil {
		return nil, err
	}
	rows := strings.Split(text, "\n")
	if len(rows) != len(keys)+1 || rows[len(keys)] != "" || rows[0] != "quipu export v1" {
		return nil, errors.New("not the lines of a manifest")
	}
	var values [][]string
	for i, key := range keys {
		parts := strings.Split(rows[i], " ")
		if parts[0] != key || len(parts) < 2 {
			return nil, fmt.Errorf("line %d isn't %s", i+1, key)
		}
		values = append(values, parts[1:])
	}
	result := &manifest{hasEntries: values[8][0] == "yes"}
	if result.size, err = strconv.ParseInt(values[1][0], 10, 64); err != nil {
		return nil, err
	}
	if result.root, err = tlog.ParseHash(values[2][0]); err != nil {
		return nil, err
	}
	for i, party := range []**id{&result.user, &result.peer, &result.room} {
		if text := values[3+i][0]; text != "-" {
			bytes, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
			if err != nil || len(bytes) != 16 {
				return nil, fmt.Errorf("no id: %q", text)
			}
			*party = new(id)
			copy((*party)[:], bytes)
		}
	}
	for i, moment := range []**uint64{&result.since, &result.until} {
		if text := values[6+i][0]; text != "-" {
			parsed, err := time.Parse("2006-01-02T15:04:05.000Z", text)
			if err != nil {
				return nil, err
			}
			milliseconds := uint64(parsed.UnixMilli())
			*moment = &milliseconds
		}
	}
	for i, file := range []*lines{&result.names, &result.events} {
		if len(values[9+i]) != 2 {
			return nil, errors.New("no file with its hash")
		}
		if file.count, err = strconv.ParseInt(values[9+i][0], 10, 64); err != nil {
			return nil, err
		}
		if file.digest, err = tlog.ParseHash(values[9+i][1]); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// stream is the conversation or the room that was selected.
func (manifest *manifest) stream() *id {
	if manifest.user == nil || manifest.peer == nil {
		return manifest.room
	}
	one, other := *manifest.user, *manifest.peer
	if string(one[:]) > string(other[:]) {
		one, other = other, one
	}
	hash := sha256.Sum256(append(one[:], other[:]...))
	stream := id{}
	copy(stream[:], hash[:16])
	return &stream
}

func (manifest *manifest) selects(header header) bool {
	if manifest.since != nil && header.time < *manifest.since || manifest.until != nil && header.time >= *manifest.until {
		return false
	}
	if stream := manifest.stream(); stream != nil && header.stream != *stream {
		return false
	}
	user := manifest.user
	return user == nil || manifest.peer != nil || header.actor == *user || header.subject == *user
}

// isDense says whether the revisions of a stream, or else the offsets, follow each other without a gap.
func (manifest *manifest) isDense() (revisions, offsets bool) {
	isOfStream := manifest.stream() != nil
	return isOfStream && (manifest.peer != nil || manifest.user == nil), !isOfStream && manifest.user == nil
}
