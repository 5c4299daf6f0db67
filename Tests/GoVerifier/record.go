// Records and their payloads, read by docs/log-format.md alone.

package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	headerLength = 76
	entryLength  = headerLength + 8 + 32
	credential   = 3
)

type id [16]byte

func (id id) String() string { return hex.EncodeToString(id[:]) }

// nobody acts where the server or its operator does.
var nobody id

type header struct {
	kind, version, class      byte
	isErased                  bool
	time, revision, reference uint64
	actor, subject, stream    id
	problem                   string
}

var kinds = []string{
	"", "UserRegistered", "GuestSeen", "UserLoggedIn", "LoginFailed", "MessageSent", "MessagesRead", "MessageEdited",
	"MessageDeleted", "RoomCreated", "MemberAdded", "MemberRemoved", "OwnerChanged", "PayloadRedacted", "UserErased",
	"ViewAttested", "AuditorRead",
}

func bigEndian(bytes []byte) uint64 { return binary.BigEndian.Uint64(bytes) }

func parseHeader(bytes []byte) header {
	header := header{kind: bytes[1], version: bytes[2], class: bytes[3] & 0x7f, isErased: bytes[3]&0x80 != 0}
	header.time = binary.LittleEndian.Uint64(bytes[4:])
	copy(header.actor[:], bytes[12:])
	copy(header.subject[:], bytes[28:])
	copy(header.stream[:], bytes[44:])
	header.revision = binary.LittleEndian.Uint64(bytes[60:])
	header.reference = binary.LittleEndian.Uint64(bytes[68:])
	if bytes[0] != 1 || header.kind == 0 || int(header.kind) >= len(kinds) || header.class > credential {
		header.problem = "a newer version's"
	}
	return header
}

func (header header) kindName() string { return kinds[header.kind] }

// parties are the accounts and rooms that an event speaks of.
func (header header) parties() []id {
	var parties []id
	if header.actor != nobody {
		parties = append(parties, header.actor)
	}
	if header.kindName() != "ViewAttested" {
		parties = append(parties, header.subject)
	}
	switch header.kindName() {
	case "RoomCreated", "MemberAdded", "MemberRemoved", "OwnerChanged":
		parties = append(parties, header.stream)
	}
	return parties
}

type record struct {
	header
	bytes      []byte
	payload    []byte
	commitment [32]byte
	leaf       []byte
}

func parseRecord(bytes []byte, offset uint64) (*record, error) {
	if len(bytes) < headerLength+16+4 {
		return nil, errors.New("a record too short")
	}
	body := bytes[:len(bytes)-4]
	checksum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	if checksum != binary.LittleEndian.Uint32(bytes[len(body):]) {
		return nil, errors.New("a wrong checksum")
	}
	record := &record{header: parseHeader(bytes)}
	if record.problem != "" {
		return nil, errors.New(record.problem)
	}
	body = body[headerLength:]
	if record.isErased {
		if len(body) != 32 {
			return nil, errors.New("an erased record of another length")
		}
		copy(record.commitment[:], body)
	} else {
		record.commitment = sha256.Sum256(body)
		record.payload = body[16:]
	}
	record.leaf = append(record.leaf, bytes[:headerLength]...)
	record.leaf[3] &= 0x7f
	record.leaf = binary.BigEndian.AppendUint64(record.leaf, offset)
	record.leaf = append(record.leaf, record.commitment[:]...)
	return record, nil
}

// fields are those of a protobuf message, by number; of those that come several times all are kept.
type fields struct {
	texts   map[uint64][]string
	numbers map[uint64]uint64
}

func (fields fields) text(number uint64) string {
	texts := fields.texts[number]
	if len(texts) == 0 {
		return ""
	}
	return texts[len(texts)-1]
}

func parseFields(bytes []byte) (fields, error) {
	result := fields{map[uint64][]string{}, map[uint64]uint64{}}
	for len(bytes) > 0 {
		key, n := binary.Uvarint(bytes)
		if n <= 0 {
			return result, errors.New("no protobuf")
		}
		bytes = bytes[n:]
		value, n := binary.Uvarint(bytes)
		if n <= 0 {
			return result, errors.New("no protobuf")
		}
		bytes = bytes[n:]
		switch key & 7 {
		case 0:
			result.numbers[key>>3] = value
		case 2:
			if value > uint64(len(bytes)) {
				return result, errors.New("a field cut off")
			}
			result.texts[key>>3] = append(result.texts[key>>3], string(bytes[:value]))
			bytes = bytes[value:]
		default:
			return result, fmt.Errorf("wire type %d", key&7)
		}
	}
	return result, nil
}

// readable appends what the payload says, as an export shows it.
func (record *record) readable(object *object) error {
	if record.isErased {
		return nil
	}
	fields, err := parseFields(record.payload)
	if err != nil {
		return err
	}
	switch record.kindName() {
	case "GuestSeen":
		object.text("account", fields.text(1))
	case "UserLoggedIn":
		address, port := fields.text(1), fields.numbers[2]
		if record.version == 1 {
			address, port = splitRemote(address)
		}
		object.text("address", address)
		object.number("port", port)
	case "LoginFailed":
		object.text("address", fields.text(1))
	case "MessageSent":
		object.text("content", fields.text(1))
		if id := fields.text(2); id != "" {
			object.text("id", id)
		}
	case "MessageEdited":
		object.text("content", fields.text(1))
	case "RoomCreated":
		object.text("name", fields.text(1))
	case "PayloadRedacted", "UserErased":
		object.text("reason", fields.text(1))
	case "AuditorRead":
		object.text("request", fields.text(1))
	case "ViewAttested":
		return attested(fields, object)
	}
	return nil
}

func attested(payload fields, list *object) error {
	list.key("views")
	list.buffer.WriteByte('[')
	for i, view := range payload.texts[1] {
		fields, err := parseFields([]byte(view))
		if err != nil {
			return err
		}
		if i > 0 {
			list.buffer.WriteByte(',')
		}
		inner := newObject()
		inner.text("name", fields.text(1))
		inner.number("version", fields.numbers[2])
		inner.text("digest", hex.EncodeToString([]byte(fields.text(3))))
		list.buffer.WriteString(inner.finished())
	}
	list.buffer.WriteByte(']')
	return nil
}

// splitRemote takes apart what version 1 of UserLoggedIn had in one text.
func splitRemote(remote string) (string, uint64) {
	at := strings.LastIndex(remote, ":")
	if end := strings.Index(remote, "]"); strings.HasPrefix(remote, "[") && end > 0 {
		port, _ := strconv.ParseUint(strings.TrimPrefix(remote[end+1:], ":"), 10, 32)
		return remote[1:end], port
	}
	if at < 0 || strings.Count(remote, ":") > 1 {
		return remote, 0
	}
	port, _ := strconv.ParseUint(remote[at+1:], 10, 32)
	return remote[:at], port
}

// object is a JSON object as an export writes it.
type object struct{ buffer *strings.Builder }

func newObject() *object {
	object := &object{&strings.Builder{}}
	object.buffer.WriteByte('{')
	return object
}

func (object *object) finished() string { return object.buffer.String() + "}" }

func (object *object) key(name string) {
	if object.buffer.Len() > 1 {
		object.buffer.WriteByte(',')
	}
	object.buffer.WriteString(`"` + name + `":`)
}

func (object *object) number(name string, value uint64) {
	object.key(name)
	object.buffer.WriteString(strconv.FormatUint(value, 10))
}

func (object *object) flag(name string, value bool) {
	object.key(name)
	object.buffer.WriteString(strconv.FormatBool(value))
}

func (object *object) null(name string) {
	object.key(name)
	object.buffer.WriteString("null")
}

func (object *object) text(name, value string) {
	object.key(name)
	object.buffer.WriteString(quoted(value))
}

// quoted escapes what RFC 8259 asks for, and the other control characters, which a terminal might obey.
func quoted(text string) string {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\t': `\t`, '\n': `\n`, '\f': `\f`, '\r': `\r`}
	var result strings.Builder
	result.WriteByte('"')
	for _, character := range text {
		if escape, isShort := short[character]; isShort {
			result.WriteString(escape)
		} else if character < 0x20 || 0x7f <= character && character <= 0x9f {
			fmt.Fprintf(&result, `\u%04x`, character)
		} else {
			result.WriteRune(character)
		}
	}
	if !utf8.ValidString(text) {
		// No export has it, for no payload does.
		result.WriteString("\\")
	}
	result.WriteByte('"')
	return result.String()
}
