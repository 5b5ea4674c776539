package monitor

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"
)

// SaveTensorBoard writes the history as an event file in dir, for TensorBoard's scalar
// charts: tags like "monitor/process_resident_bytes", the step in milliseconds since
// the start. It returns the file's path.
func (m *Monitor) SaveTensorBoard(dir string) (string, error) {
	samples, started := m.History(), m.startedAt()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("save event file: %w", err)
	}
	name, err := os.Hostname()
	if err != nil {
		name = "host"
	}
	// TensorBoard looks for "tfevents" in the name and sorts by the time in it.
	path := filepath.Join(dir, fmt.Sprintf("events.out.tfevents.%010d.%s", time.Now().Unix(), name))
	f, err := os.Create(path)
	if err != nil {
		return "", fmt.Errorf("save event file: %w", err)
	}
	w := bufio.NewWriter(f)
	err = writeEvents(w, samples, started)
	if err == nil {
		err = w.Flush()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", fmt.Errorf("save event file: %w", err)
	}
	return path, nil
}

// writeEvents writes one record for the version and one for each sample.
func writeEvents(w io.Writer, samples []Sample, started time.Time) error {
	version := message{}
	version.double(eventWallTime, seconds(started))
	version.bytes(eventFileVersion, []byte("brain.Event:2"))
	if err := writeRecord(w, version); err != nil {
		return err
	}
	for _, s := range samples {
		var summary message
		for _, r := range readings(s) {
			var v message
			v.bytes(valueTag, []byte("monitor/"+r.column("/")))
			v.float(valueSimple, float32(r.value))
			summary.bytes(summaryValue, v)
		}
		var e message
		e.double(eventWallTime, seconds(s.At))
		e.varint(eventStep, uint64(max(s.At.Sub(started).Milliseconds(), 0)))
		e.bytes(eventSummary, summary)
		if err := writeRecord(w, e); err != nil {
			return err
		}
	}
	return nil
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// Numbers of the fields that are written, of event.proto and summary.proto of
// TensorBoard.
const (
	eventWallTime    = 1
	eventStep        = 2
	eventFileVersion = 3
	eventSummary     = 5
	summaryValue     = 1
	valueTag         = 1
	valueSimple      = 2
)

// message is a protocol buffer's message being written (protobuf.dev, Encoding).
type message []byte

func (m *message) varint(field int, v uint64) {
	*m = binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3), v)
}

func (m *message) double(field int, v float64) {
	*m = binary.LittleEndian.AppendUint64(binary.AppendUvarint(*m, uint64(field)<<3|1), math.Float64bits(v))
}

func (m *message) bytes(field int, v []byte) {
	*m = append(binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3|2), uint64(len(v))), v...)
}

func (m *message) float(field int, v float32) {
	*m = binary.LittleEndian.AppendUint32(binary.AppendUvarint(*m, uint64(field)<<3|5), math.Float32bits(v))
}

// writeRecord writes a TFRecord: length, its checksum, data, its checksum
// (tensorflow.org, "TFRecord and tf.train.Example").
func writeRecord(w io.Writer, data []byte) error {
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	head = binary.LittleEndian.AppendUint32(head, masked(head))
	if _, err := w.Write(head); err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	_, err := w.Write(binary.LittleEndian.AppendUint32(nil, masked(data)))
	return err
}

// masked is the checksum that records carry: a CRC-32C, turned and moved, because one
// over data that holds CRCs would be weak.
func masked(data []byte) uint32 {
	c := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return (c>>15 | c<<17) + 0xa282ead8
}
