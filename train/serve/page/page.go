// Package page is the browser's side of a served model: one page on which to write with it and to judge what it says.
//
// Requests of a browser flow in: for the page, which needs nothing from outside, and judgements as JSON. Out flow the page in English
// or Chinese, and feedback.Judgements to a Recorder. Answers themselves come from the OpenAI interface behind the page.
package page

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"

	"winnow/train/chat"
	"winnow/train/serve/feedback"
)

//go:embed page
var assets embed.FS

// Recorder keeps judgements; *feedback.Log is one.
type Recorder interface {
	Add(feedback.Judgement) error // *feedback.InvalidError: the judgement is at fault
	Counts() (thumbs, pairs, edits int)
}

// Options are what the page cannot know itself.
type Options struct {
	Recorder Recorder
	Model    feedback.Model
	Context  int    // tokens of prompt and answer
	Addr     string // that is listened on, host:port; requests for the page must name it
	Lang     string // en or zh: where the browser asks for neither
}

const maxBody = 4 << 20 // bytes of a judgement

type server struct {
	o    Options
	page *template.Template
	api  http.Handler
}

// Handler serves the page at / and judgements at /feedback, and hands all else to api. What other sites' pages send is refused, and the
// page is shown under the address that is listened on alone, so that no other name leads to it.
func Handler(api http.Handler, o Options) (http.Handler, error) {
	page, err := template.ParseFS(assets, "page/chat.html")
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	s := &server{o: o, page: page, api: api}
	own := http.NewServeMux()
	own.HandleFunc("GET /{$}", s.index)
	own.HandleFunc("POST /feedback", s.feedback)
	for _, name := range []string{"chat.css", "chat.js"} {
		own.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, assets, "page/"+name) })
	}
	all := http.NewServeMux()
	for _, path := range []string{"/{$}", "/feedback", "/chat.css", "/chat.js"} {
		all.Handle(path, s.guard(own))
	}
	all.Handle("/", api)
	return http.NewCrossOriginProtection().Handler(all), nil
}

// guard checks under which name the page is asked for, and limits what it may do.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if !s.hostAllowed(r.Host) {
			fail(w, http.StatusMisdirectedRequest, "this host name is not served")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostAllowed takes the address that is listened on and names of the loopback interface with its port; where that is every interface, any
// numeric address, which no name server can point elsewhere.
func (s *server) hostAllowed(host string) bool {
	name, port, err := net.SplitHostPort(host)
	listens, ours, bad := net.SplitHostPort(s.o.Addr)
	if err != nil || bad != nil || port != ours {
		return false
	}
	ip := net.ParseIP(listens)
	every := listens == "" || ip != nil && ip.IsUnspecified()
	return name == listens || loopback(name) && (every || loopback(listens)) || every && net.ParseIP(name) != nil
}

func loopback(name string) bool {
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// shown is what chat.html shows.
type shown struct {
	feedback.Model
	Lang                 string
	Context              int
	Thumbs, Pairs, Edits int
}

// T picks the sentence of the page's language.
func (s shown) T(en, zh string) string {
	if s.Lang == "zh" {
		return zh
	}
	return en
}

// Short is as much of a hash as people compare.
func (s shown) Short() string { return s.Hash[:min(len(s.Hash), 12)] }

func (s *server) index(w http.ResponseWriter, r *http.Request) {
	p := shown{Model: s.o.Model, Lang: language(r, s.o.Lang), Context: s.o.Context}
	p.Thumbs, p.Pairs, p.Edits = s.o.Recorder.Counts()
	var b bytes.Buffer
	if err := s.page.ExecuteTemplate(&b, "chat.html", p); err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Lang)
	w.Header().Set("Vary", "Accept-Language")
	w.Write(b.Bytes())
}

// judgement is what the page sends.
type judgement struct {
	Kind       string             `json:"kind"`
	Subject    string             `json:"subject"`
	Undone     bool               `json:"undone"`
	Prompt     []chat.Message     `json:"prompt"`
	Completion string             `json:"completion"`
	Label      *bool              `json:"label"`
	Chosen     string             `json:"chosen"`
	Rejected   string             `json:"rejected"`
	Sampling   *feedback.Sampling `json:"sampling"`
	Other      *feedback.Sampling `json:"rejected_sampling"`
}

func (s *server) feedback(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, "send application/json")
		return
	}
	var in judgement
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if in.Kind == feedback.Thumb && in.Label == nil && !in.Undone {
		fail(w, http.StatusUnprocessableEntity, "label: write true or false")
		return
	}
	j := feedback.Judgement{Kind: in.Kind, Subject: in.Subject, Undone: in.Undone, Prompt: in.Prompt, Answer: in.Completion,
		Good: in.Label != nil && *in.Label, Better: in.Chosen, Worse: in.Rejected, Drawn: in.Sampling, Other: in.Other}
	err := s.o.Recorder.Add(j)
	var invalid *feedback.InvalidError
	switch {
	case errors.As(err, &invalid):
		fail(w, http.StatusUnprocessableEntity, err.Error())
		return
	case err != nil:
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	thumbs, pairs, edits := s.o.Recorder.Counts()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]int{"thumbs": thumbs, "pairs": pairs, "edits": edits})
}

// fail answers as the OpenAI interface does.
func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"message": message}})
}
