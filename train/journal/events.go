package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Events is a TensorBoard event file: TFRecords, each an Event of tensorflow/core/util/event.proto with a Summary of scalars
// (tensorflow/core/framework/summary.proto). Events hold the wall clock: beside speeds, this is the one file of a run that does.
type Events struct {
	file *os.File
	now  func() time.Time
}

// Field numbers of Event, Summary and Summary.Value.
const (
	eventWall, eventStep, eventVersion, eventSummary = 1, 2, 3, 5
	summaryValue                                     = 1
	valueTag, valueSimple                            = 1, 2
)

// Scalar is one point of one curve.
type Scalar struct {
	Tag   string // "train/loss": TensorBoard groups by what stands before the slash
	Value float64
}

// OpenEvents opens path behind its last whole record that is not beyond step; what follows is cut off. A new file begins with
// the version that TensorBoard asks for.
func OpenEvents(path string, step int) (*Events, error) {
	end, err := eventsEnd(path, step)
	if err != nil {
		return nil, err
	}
	f, err := openCut(path, end)
	if err != nil {
		return nil, err
	}
	e := &Events{f, time.Now}
	if end == 0 {
		b := e.event(0)
		b = protowire.AppendTag(b, eventVersion, protowire.BytesType)
		if err := e.record(protowire.AppendString(b, "brain.Event:2")); err != nil {
			f.Close()
			return nil, err
		}
	}
	return e, nil
}

// Write adds the scalars of a step, counted from 1.
func (e *Events) Write(step int, scalars ...Scalar) error {
	var summary []byte
	for _, s := range scalars {
		value := protowire.AppendTag(nil, valueTag, protowire.BytesType)
		value = protowire.AppendString(value, s.Tag)
		value = protowire.AppendTag(value, valueSimple, protowire.Fixed32Type)
		value = protowire.AppendFixed32(value, math.Float32bits(float32(s.Value)))
		summary = protowire.AppendTag(summary, summaryValue, protowire.BytesType)
		summary = protowire.AppendBytes(summary, value)
	}
	b := protowire.AppendTag(e.event(step), eventSummary, protowire.BytesType)
	return e.record(protowire.AppendBytes(b, summary))
}

// Sync brings all records to the disk.
func (e *Events) Sync() error { return e.file.Sync() }

// Close closes the file.
func (e *Events) Close() error { return errors.Join(e.file.Sync(), e.file.Close()) }

func (e *Events) event(step int) []byte {
	b := protowire.AppendTag(nil, eventWall, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(float64(e.now().UnixMicro())/1e6))
	b = protowire.AppendTag(b, eventStep, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(step))
}

// record frames bytes as TFRecord (tensorflow/core/lib/io/record_writer.h): length, its masked CRC, bytes, their masked CRC.
func (e *Events) record(data []byte) error {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, len(data)+16), uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, data...)
	_, err := e.file.Write(binary.LittleEndian.AppendUint32(b, masked(data)))
	return err
}

// masked is a CRC-32C, rotated and moved by a constant, so that a CRC over bytes that hold CRCs stays a good one.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return (c>>15 | c<<17) + 0xa282ead8
}

// eventsEnd is the length of what stays: whole records up to and with step.
func eventsEnd(path string, step int) (end int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	defer f.Close()
	for in := bufio.NewReader(f); ; {
		at, _, size, err := readEvent(in)
		if err != nil || at > step { // io.EOF, an end that is not whole, or damage: all of it goes
			return end, nil
		}
		end += size
	}
}

// recordLimit is far above what this file writes; a greater length is damage.
const recordLimit = 16 << 20

// readEvent reads one record. Damage is an error, the end of the file io.EOF.
func readEvent(in io.Reader) (step int, scalars []Scalar, size int64, err error) {
	var head [12]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, 0, err
	}
	n := binary.LittleEndian.Uint64(head[:])
	if masked(head[:8]) != binary.LittleEndian.Uint32(head[8:]) || n > recordLimit {
		return 0, nil, 0, errors.New("event file: damaged length")
	}
	data := make([]byte, n+4)
	if _, err := io.ReadFull(in, data); err != nil {
		return 0, nil, 0, err
	}
	if masked(data[:n]) != binary.LittleEndian.Uint32(data[n:]) {
		return 0, nil, 0, errors.New("event file: damaged record")
	}
	err = fields(data[:n], func(number protowire.Number, v uint64, b []byte) error {
		switch number {
		case eventStep:
			step = int(v)
		case eventSummary:
			return fields(b, func(number protowire.Number, _ uint64, b []byte) error {
				var s Scalar
				err := fields(b, func(number protowire.Number, v uint64, b []byte) error {
					switch number {
					case valueTag:
						s.Tag = string(b)
					case valueSimple:
						s.Value = float64(math.Float32frombits(uint32(v)))
					}
					return nil
				})
				scalars = append(scalars, s)
				return err
			})
		}
		return nil
	})
	return step, scalars, int64(n) + 16, err
}

// fields walks the fields of a message: numbers of any width as v, bytes as b.
func fields(message []byte, each func(number protowire.Number, v uint64, b []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("event file: %w", protowire.ParseError(n))
		}
		message = message[n:]
		var v uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(message)
		case protowire.Fixed32Type:
			var w uint32
			w, n = protowire.ConsumeFixed32(message)
			v = uint64(w)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(message)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("event file: %w", protowire.ParseError(n))
		}
		message = message[n:]
		if err := each(number, v, b); err != nil {
			return err
		}
	}
	return nil
}

// Steps lists the step of each record of scalars, in the order of the file.
func Steps(path string) (steps []int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for in := bufio.NewReader(f); ; {
		step, scalars, _, err := readEvent(in)
		if err == io.EOF {
			return steps, nil
		} else if err != nil {
			return steps, err
		}
		if len(scalars) > 0 {
			steps = append(steps, step)
		}
	}
}
