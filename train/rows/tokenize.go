package rows

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
)

// Tokenizer turns text into ids; *bpe.Tokenizer is one. It must be safe for use by several goroutines.
type Tokenizer interface {
	Encode(dst []int32, text string) []int32 // appends the ids of plain text, never special ones
	Size() int                               // ids are below this
	Hash() string                            // names the tokenizer
}

// TokenizeOptions are for Tokenize; the zero value will do.
type TokenizeOptions struct {
	Threads  int                          // 0: GOMAXPROCS
	Progress func(documents, bytes int64) // called now and then while text is tokenised; may be nil
}

const (
	batchDocs  = 64      // documents that go to a worker together, at most
	batchBytes = 1 << 18 // bytes of text that go to a worker together, about
	ahead      = 8       // batches for each thread that wait: on a busy machine one slow worker must not stop the others
)

// Tokenize writes the ids of all documents, in their order, to a file in dir that is named after key (what the documents are)
// and tokenizer, and opens it. A whole file of that name is opened as it is and docs is not read; a damaged one is written
// anew. The file appears whole or not at all. The order and the bytes do not depend on the number of threads.
func Tokenize(ctx context.Context, dir, key string, tok Tokenizer, docs iter.Seq2[Document, error], o TokenizeOptions) (*Tokens, error) {
	label := key + "\n" + tok.Hash()
	path := filepath.Join(dir, fileName(label))
	if t, err := open(path, label); err == nil {
		return t, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	w, err := create(path, label, tok.Size())
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	defer w.abort()
	var documents, bytes int64
	err = encode(ctx, tok, docs, o.Threads, func(b *batch) error {
		for i, d := range b.docs {
			if err := w.add(d, b.ids[b.ends[i]:b.ends[i+1]]); err != nil {
				return err
			}
			documents++
			bytes += int64(len(d.Text))
		}
		if o.Progress != nil {
			o.Progress(documents, bytes)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tokenise: %w", err)
	}
	if err := w.commit(); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return open(path, label)
}

// batch is some documents on their way through a worker.
type batch struct {
	docs []Document
	ids  []int32
	ends []int // document i has ids[ends[i]:ends[i+1]]
	done chan struct{}
}

func (b *batch) encode(tok Tokenizer) {
	b.ends = append(b.ends, 0)
	for _, d := range b.docs {
		b.ids = tok.Encode(b.ids, d.Text)
		b.ends = append(b.ends, len(b.ids))
	}
	close(b.done)
}

// encode tokenises in parallel and emits in order. Batches in memory: about twice ahead for each thread.
func encode(ctx context.Context, tok Tokenizer, docs iter.Seq2[Document, error], threads int, emit func(*batch) error) error {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work, order := make(chan *batch, ahead*threads), make(chan *batch, ahead*threads)
	for range threads {
		go func() {
			for b := range work {
				b.encode(tok)
			}
		}()
	}
	go func() {
		defer close(order)
		defer close(work)
		if err := deal(ctx, docs, work, order); err != nil {
			cancel(err)
		}
	}()
	var err error
	for b := range order { // to the end also after an error: the reader must have left docs when this returns
		<-b.done
		if err == nil {
			if err = emit(b); err != nil {
				cancel(err)
			}
		}
	}
	if err != nil {
		return err
	}
	return context.Cause(ctx)
}

// deal reads documents and hands them out in batches.
func deal(ctx context.Context, docs iter.Seq2[Document, error], work, order chan<- *batch) error {
	b, size := &batch{done: make(chan struct{})}, 0
	send := func() {
		work <- b // never blocks for good: workers run until work is closed
		order <- b
		b, size = &batch{done: make(chan struct{})}, 0
	}
	for d, err := range docs {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b.docs = append(b.docs, d)
		if size += len(d.Text); size >= batchBytes || len(b.docs) == batchDocs {
			send()
		}
	}
	if len(b.docs) > 0 {
		send()
	}
	return nil
}
