// The lines of an export: each event's proof, and everything readable made anew from its record.

package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

type export struct {
	tree     tlog.Tree
	manifest *manifest
	leaves   []tlog.Hash
	names    map[id]string
	// due are the accounts and rooms that were named and that nothing has spoken of.
	due     map[id]bool
	offsets []uint64
}

// line is what is taken from a line; the rest is compared.
type line struct {
	Name   *string  `json:"name"`
	Offset uint64   `json:"offset"`
	Record []byte   `json:"record"`
	Proof  [][]byte `json:"proof"`
}

func (export *export) readNames(path string) error {
	last := uint64(0)
	return each(path, export.manifest.names, func(text string) error {
		event, line, proof, err := export.parse(text)
		if err != nil {
			return err
		}
		if line.Offset <= last {
			return errors.New("not in the order of offsets")
		}
		last = line.Offset
		fields, err := parseFields(event.payload)
		if err != nil {
			return err
		}
		var named id
		name := line.Name
		basis := "stated"
		switch event.kindName() {
		case "UserRegistered", "GuestSeen":
			named = event.actor
		case "RoomCreated":
			named = event.stream
		default:
			return errors.New("names nothing")
		}
		if event.class != credential {
			name = nil
			if !event.isErased {
				proven := fields.text(1)
				name = &proven
			}
			basis = "proven"
		}
		if _, isKnown := export.due[named]; isKnown {
			return errors.New("named twice")
		}
		object := newObject()
		object.text("id", named.String())
		if name == nil {
			object.null("name")
			basis = "erased"
		} else {
			object.text("name", *name)
			export.names[named] = *name
		}
		object.text("name_is", basis)
		if err := export.write(event, line.Offset, proof, object); err != nil {
			return err
		}
		if object.finished() != text {
			return errors.New("says something else than its record")
		}
		for _, party := range event.parties() {
			if _, isKnown := export.due[party]; !isKnown && party != named {
				return errors.New("speaks of somebody without a name")
			}
			export.due[party] = false
		}
		export.due[named] = true
		return nil
	})
}

func (export *export) readEvents(path string) error {
	denseRevisions, denseOffsets := export.manifest.isDense()
	isFromStart := export.manifest.since == nil
	revision := uint64(0)
	err := each(path, export.manifest.events, func(text string) error {
		event, line, proof, err := export.parse(text)
		if err != nil {
			return err
		}
		last := uint64(0)
		if count := len(export.offsets); count > 0 {
			last = export.offsets[count-1]
		}
		if line.Offset <= last {
			return errors.New("not in the order of offsets")
		}
		if !export.manifest.selects(event.header) {
			return errors.New("not selected")
		}
		object := newObject()
		if err := export.write(event, line.Offset, proof, object); err != nil {
			return err
		}
		if object.finished() != text {
			return errors.New("says something else than its record")
		}
		isFirst := len(export.offsets) == 0 && !isFromStart
		if denseRevisions && !isFirst && event.revision != revision+1 {
			return fmt.Errorf("revision %d after %d", event.revision, revision)
		}
		if denseOffsets && !isFirst && line.Offset != last+1 {
			return fmt.Errorf("offset %d after %d", line.Offset, last)
		}
		revision = event.revision
		for _, party := range event.parties() {
			if _, isKnown := export.due[party]; !isKnown {
				return errors.New("speaks of somebody without a name")
			}
			export.due[party] = false
		}
		export.offsets = append(export.offsets, line.Offset)
		return nil
	})
	if err != nil {
		return err
	}
	for id, isDue := range export.due {
		if isDue {
			return fmt.Errorf("nothing speaks of %s, which is named", id)
		}
	}
	return nil
}

// each hands the lines of a file over, and holds the whole against its hash.
func each(path string, expected lines, body func(string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	hasher := sha256.New()
	reader := bufio.NewReaderSize(io.TeeReader(file, hasher), 1<<20)
	count := int64(0)
	for {
		text, err := reader.ReadString('\n')
		if err == io.EOF && text == "" {
			break
		}
		count++
		if err == nil {
			err = body(strings.TrimSuffix(text, "\n"))
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", count, err)
		}
	}
	if count != expected.count || string(hasher.Sum(nil)) != string(expected.digest[:]) {
		return errors.New("not the file that the manifest names")
	}
	return nil
}

// parse reads a line and looks whether its event is in the tree, by its own proof.
func (export *export) parse(text string) (*record, *line, tlog.RecordProof, error) {
	parsed := &line{}
	if err := json.Unmarshal([]byte(text), parsed); err != nil {
		return nil, nil, nil, err
	}
	if parsed.Offset == 0 || parsed.Offset > uint64(export.tree.N) {
		return nil, nil, nil, errors.New("outside the tree")
	}
	event, err := parseRecord(parsed.Record, parsed.Offset)
	if err != nil {
		return nil, nil, nil, err
	}
	if event.class == credential && !event.isErased {
		return nil, nil, nil, errors.New("shows a secret")
	}
	var proof tlog.RecordProof
	for _, bytes := range parsed.Proof {
		if len(bytes) != tlog.HashSize {
			return nil, nil, nil, errors.New("no hash")
		}
		var hash tlog.Hash
		copy(hash[:], bytes)
		proof = append(proof, hash)
	}
	index := int64(parsed.Offset) - 1
	leaf := tlog.RecordHash(event.leaf)
	if err := tlog.CheckRecord(proof, export.tree.N, export.tree.Hash, index, leaf); err != nil {
		return nil, nil, nil, err
	}
	if leaf != export.leaves[index] {
		return nil, nil, nil, errors.New("another leaf than in the tiles")
	}
	// What json.Unmarshal overlooks, a key in capitals for one, is found when the line is compared.
	event.bytes = parsed.Record
	return event, parsed, proof, nil
}

func (export *export) write(event *record, offset uint64, proof tlog.RecordProof, object *object) error {
	name := func(key string, id id) {
		if name, isKnown := export.names[id]; isKnown {
			object.text(key, name)
		} else {
			object.null(key)
		}
	}
	object.number("offset", offset)
	object.number("index", offset-1)
	object.text("time", time.UnixMilli(int64(event.time)).UTC().Format("2006-01-02T15:04:05.000Z"))
	object.text("type", event.kindName())
	object.number("version", uint64(event.version))
	name("actor", event.actor)
	object.text("actor_id", event.actor.String())
	name("subject", event.subject)
	object.text("subject_id", event.subject.String())
	object.text("stream", event.stream.String())
	object.number("revision", event.revision)
	object.number("reference", event.reference)
	object.flag("withheld", event.class == credential)
	object.flag("redacted", event.isErased && event.class != credential)
	if err := event.readable(object); err != nil {
		return err
	}
	object.text("record", base64.StdEncoding.EncodeToString(event.bytes))
	object.key("proof")
	object.buffer.WriteByte('[')
	for i, hash := range proof {
		if i > 0 {
			object.buffer.WriteByte(',')
		}
		object.buffer.WriteString(`"` + hash.String() + `"`)
	}
	object.buffer.WriteByte(']')
	return nil
}
