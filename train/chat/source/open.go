package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// opened is a file with its decompression.
type opened struct {
	io.Reader
	file *os.File
	zstd *zstd.Decoder
}

func (o *opened) Close() error {
	if o.zstd != nil {
		o.zstd.Close()
	}
	return o.file.Close()
}

// open opens a file as it begins, whatever its name: gzip, zstd or neither; parquet tells that it is a parquet file, which this does
// not read.
func open(path string) (o *opened, parquet bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	o = &opened{file: f}
	in := bufio.NewReaderSize(f, 1<<16)
	o.Reader = in
	head, err := in.Peek(4)
	if err != nil && err != io.EOF {
		f.Close()
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	err = nil
	switch {
	case bytes.Equal(head, []byte("PAR1")):
		parquet = true
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		o.Reader, err = gzip.NewReader(in)
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		o.zstd, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		o.Reader = o.zstd
	}
	if err != nil {
		f.Close()
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	return o, parquet, nil
}
