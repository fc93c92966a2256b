package page

import (
	"net/http"
	"strconv"
	"strings"
)

// language is what the address says (?ui=zh), else what the browser prefers of English and Chinese, else otherwise.
func language(r *http.Request, otherwise string) string {
	if ui := r.URL.Query().Get("ui"); ui == "en" || ui == "zh" {
		return ui
	}
	best, weight := otherwise, 0.0
	for _, entry := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, rest, _ := strings.Cut(strings.TrimSpace(entry), ";")
		name, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if name != "en" && name != "zh" {
			continue
		}
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(rest), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		if q > weight {
			best, weight = name, q
		}
	}
	if best != "zh" {
		return "en"
	}
	return best
}
