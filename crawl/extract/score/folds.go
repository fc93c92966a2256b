package score

import (
	_ "embed"
	"fmt"
	"hash/fnv"
	"net/url"

	"golang.org/x/net/publicsuffix"
)

// Folds is the number of parts that the labelled pages were dealt to for cross-validation.
const Folds = 5

// Fold is the part of a page, by the registered domain of its address, so that no site is in two of them; by its id
// where it has no address.
func Fold(address, id string) int {
	if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
		id = u.Hostname()
		if d, err := publicsuffix.EffectiveTLDPlusOne(id); err == nil {
			id = d
		}
	}
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % Folds)
}

// parts is what internal/train wrote: for each fold the model that learned from all other folds.
//
//go:embed folds.bin
var parts []byte

// OutOfFold gives the model that has not seen the pages of a fold: for measuring, as the shipped one has seen all.
func OutOfFold(fold int) (*Model, error) {
	size := len(parts) / Folds
	if fold < 0 || fold >= Folds || size*Folds != len(parts) {
		return nil, fmt.Errorf("extract model: no fold %d in %d bytes", fold, len(parts))
	}
	return Decode(parts[fold*size : (fold+1)*size])
}
