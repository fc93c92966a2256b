package blocks

import (
	"errors"
	"io"
	"time"
)

// Watch tells when the time of a page is over, by the clock and by what the process has worked since. The zero value never does.
type Watch struct {
	until time.Time     // the zero time for ever
	cpu   time.Duration // of the process, from which on the time may be over
	Over  bool          // it is
	asked uint          // how often it was
}

// Late is asked often, and looks at the clock at every 1024th time.
func (w *Watch) Late() bool {
	if w.asked++; w.asked&1023 == 0 && !w.Over && !w.until.IsZero() {
		w.Over = time.Now().After(w.until) && ProcessTime() >= w.cpu
	}
	return w.Over
}

// NewWatch makes a watch for so much time from now on.
func NewWatch(d time.Duration) *Watch {
	return &Watch{until: time.Now().Add(d), cpu: ProcessTime() + d}
}

// Reader reads what r does until the time is over; then it fails.
func (w *Watch) Reader(r io.Reader) io.Reader { return watchedReader{r, w} }

// watchedReader ends a read when the time is over.
type watchedReader struct {
	io.Reader
	w *Watch
}

// errOver says that the time is over.
var errOver = errors.New("the time of the page is over")

func (r watchedReader) Read(b []byte) (int, error) {
	r.w.asked |= 1023
	r.w.asked--
	if r.w.Late() {
		return 0, errOver
	}
	return r.Reader.Read(b)
}
