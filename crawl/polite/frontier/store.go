package frontier

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/zeebo/xxh3"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Kind is what an entry leads to. Lower kinds come first.
type Kind byte

// The kinds.
const (
	Sitemap Kind = iota + 1
	Page
)

// Entry is an address to fetch.
type Entry struct {
	URL   string `json:"url"`
	Via   string `json:"via,omitempty"` // where it was found
	Kind  Kind   `json:"kind"`
	Depth int    `json:"depth"`          // links from a seed
	Hops  int    `json:"hops,omitempty"` // redirects that led here, one after the other; for sitemaps, indexes
	Tries int    `json:"tries,omitempty"`

	Host string `json:"-"`
	key  []byte
}

// Stored is a response in an archive.
type Stored struct {
	URL      string `json:"url"`
	Date     string `json:"date"` // of the record, RFC 3339
	ID       string `json:"id"`   // of the record
	Digest   string `json:"digest,omitempty"`
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"` // Last-Modified
	Offset   int64  `json:"offset,omitempty"`   // of its member in the archive of an earlier crawl
}

// ErrLocked says that another process holds the file.
var ErrLocked = errors.New("the frontier is in use by another crawl")

// batch is after how many additions a transaction should end. Addresses fall anywhere in the tree of those seen, so in a large frontier
// each addition takes a page of it apart (4 KiB, some hundred entries), which is held until then: some 10 KB of memory.
const batch = 2000

// Store is a frontier file with one open transaction. It is for one goroutine.
type Store struct {
	db    *bolt.DB
	tx    *bolt.Tx
	seq   uint64
	added int // entries since the last commit
}

var buckets = []string{"meta", "queue", "seen", "robots", "stored", "previous", "paths"}

// Open opens a frontier, or creates an empty one.
func Open(path string) (*Store, error) {
	db, err := bolt.Open(path, 0o644, &bolt.Options{Timeout: 500 * time.Millisecond, FreelistType: bolt.FreelistMapType, NoFreelistSync: true})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("frontier %s: %w", path, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("frontier %s: %w", path, err)
	}
	s := &Store{db: db}
	if err := s.begin(); err != nil {
		_ = db.Close()
		return nil, err
	}
	for _, name := range buckets {
		if _, err := s.tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return nil, errors.Join(fmt.Errorf("frontier: %w", err), s.Close())
		}
	}
	_, err = s.Get("seq", &s.seq)
	return s, err
}

func (s *Store) begin() (err error) {
	if s.tx, err = s.db.Begin(true); err != nil {
		return fmt.Errorf("frontier: %w", err)
	}
	return nil
}

// Commit makes all that happened since the last one durable.
func (s *Store) Commit() error {
	if err := s.Put("seq", s.seq); err != nil {
		return err
	}
	if err := s.tx.Commit(); err != nil {
		return fmt.Errorf("frontier: %w", err)
	}
	s.added = 0
	return s.begin()
}

// Full says that so much was added since the last commit that the memory asks for the next.
func (s *Store) Full() bool { return s.added >= batch }

// Close drops what was not committed.
func (s *Store) Close() error {
	return errors.Join(s.tx.Rollback(), s.db.Close())
}

func (s *Store) bucket(name string) *bolt.Bucket { return s.tx.Bucket([]byte(name)) }

// Put keeps a value under a name.
func (s *Store) Put(name string, value any) error { return s.put("meta", []byte(name), value) }

// Get reads a value that Put kept; false where there is none.
func (s *Store) Get(name string, value any) (bool, error) { return s.get("meta", []byte(name), value) }

func (s *Store) put(bucket string, key []byte, value any) error {
	b, err := json.Marshal(value)
	if err == nil {
		err = s.bucket(bucket).Put(key, b)
	}
	if err != nil {
		return fmt.Errorf("frontier: %s: %w", bucket, err)
	}
	return nil
}

func (s *Store) get(bucket string, key []byte, value any) (bool, error) {
	b := s.bucket(bucket).Get(key)
	if b == nil {
		return false, nil
	}
	if err := json.Unmarshal(b, value); err != nil {
		return false, fmt.Errorf("frontier: %s: %w", bucket, err)
	}
	return true, nil
}

// sum is a key for an address: 128 bits, so that of a thousand million addresses none is likely to be lost to another.
func sum(kind Kind, url string) []byte {
	h := xxh3.HashString128Seed(url, uint64(kind))
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, h.Hi), h.Lo)
}

// Seen says whether an entry's address was added before.
func (s *Store) Seen(e Entry) bool {
	return s.bucket("seen").Get(sum(e.Kind, e.URL)) != nil
}

// Add queues an entry at its Host, and remembers its address.
func (s *Store) Add(e Entry) error {
	if err := s.bucket("seen").Put(sum(e.Kind, e.URL), []byte{}); err != nil {
		return fmt.Errorf("frontier: seen: %w", err)
	}
	s.seq++
	s.added++
	s.bucket("queue").FillPercent = .9 // a host's entries come in the order of their keys, nearly
	return s.put("queue", queueKey(e, s.seq), e)
}

// queueKey orders entries by host, kind, depth and number.
func queueKey(e Entry, seq uint64) []byte {
	key := append(append([]byte(e.Host), 0), byte(e.Kind))
	key = binary.BigEndian.AppendUint32(key, uint32(e.Depth))
	return binary.BigEndian.AppendUint64(key, seq)
}

// First gives the entry of a host that comes first; false where there is none. It stays in the queue.
func (s *Store) First(host string) (Entry, bool, error) {
	prefix := append([]byte(host), 0)
	key, value := s.bucket("queue").Cursor().Seek(prefix)
	if key == nil || len(key) < len(prefix) || string(key[:len(prefix)]) != string(prefix) {
		return Entry{}, false, nil
	}
	e := Entry{Host: host, key: append([]byte(nil), key...)}
	if err := json.Unmarshal(value, &e); err != nil {
		return Entry{}, false, fmt.Errorf("frontier: queue: %w", err)
	}
	return e, true, nil
}

// Remove takes an entry that First gave out of the queue.
func (s *Store) Remove(e Entry) error {
	if err := s.bucket("queue").Delete(e.key); err != nil {
		return fmt.Errorf("frontier: queue: %w", err)
	}
	return nil
}

// Update stores an entry that First gave with its new Tries, at its place.
func (s *Store) Update(e Entry) error { return s.put("queue", e.key, e) }

// Hosts lists the hosts that have entries, in order, and counts the entries.
func (s *Store) Hosts() (hosts []string, entries int64) {
	last := ""
	c := s.bucket("queue").Cursor()
	for key, _ := c.First(); key != nil; key, _ = c.Next() {
		entries++
		name := key[:len(key)-14]
		if string(name) != last || len(hosts) == 0 {
			last = string(name)
			hosts = append(hosts, last)
		}
	}
	return hosts, entries
}

// SetRobots keeps what is known of an origin's robots.txt.
func (s *Store) SetRobots(origin string, value any) error {
	return s.put("robots", []byte(origin), value)
}

// Robots reads what SetRobots kept.
func (s *Store) Robots(origin string, value any) (bool, error) {
	return s.get("robots", []byte(origin), value)
}

// SetStored keeps that a payload lies in the archive.
func (s *Store) SetStored(digest []byte, r Stored) error { return s.put("stored", digest, r) }

// Stored reads what SetStored kept.
func (s *Store) Stored(digest []byte) (r Stored, ok bool, err error) {
	ok, err = s.get("stored", digest, &r)
	return r, ok, err
}

// SetPrevious keeps what an earlier crawl has of an address.
func (s *Store) SetPrevious(url string, r Stored) error { return s.put("previous", sum(Page, url), r) }

// Previous reads what SetPrevious kept.
func (s *Store) Previous(url string) (r Stored, ok bool, err error) {
	ok, err = s.get("previous", sum(Page, url), &r)
	return r, ok, err
}

// CountQuery counts one more query of a path and returns how many there were before.
func (s *Store) CountQuery(path string) (n uint32, err error) {
	b, key := s.bucket("paths"), sum(Page, path)
	if old := b.Get(key); len(old) == 4 {
		n = binary.BigEndian.Uint32(old)
	}
	if err := b.Put(key, binary.BigEndian.AppendUint32(nil, n+1)); err != nil {
		return 0, fmt.Errorf("frontier: paths: %w", err)
	}
	return n, nil
}
