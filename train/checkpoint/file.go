package checkpoint

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"winnow/shard"
)

// writeFile makes a new file, brings it to the disk, and gives the sha256 of its bytes.
func writeFile(path string, write func(io.Writer) error) (string, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	out := bufio.NewWriter(io.MultiWriter(f, sum))
	err = write(out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, f.Close())
}

// replaceFile writes path whole or not at all, replacing what is there; its folder is made.
func replaceFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	t, err := shard.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(t)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if err != nil {
		t.Abort()
		return err
	}
	return t.Commit()
}
