package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"winnow/train/chat"
)

// Server speaks OpenAI's HTTP interface for one model.
type Server struct {
	engine   *Engine
	name     string
	template Template
	started  time.Time
	print    string // system_fingerprint: what the same seed's text depends on
	number   atomic.Uint64
	mux      *http.ServeMux
}

// NewServer serves engine's model under a name. A nil template is chat.Lines. fingerprint names model and kernel.
func NewServer(engine *Engine, name string, template Template, fingerprint string) *Server {
	if template == nil {
		template = chat.Lines{}
	}
	s := &Server{engine: engine, name: name, template: template, started: time.Now(), print: fingerprint, mux: http.NewServeMux()}
	s.mux.HandleFunc("/v1/completions", method(http.MethodPost, s.completions))
	s.mux.HandleFunc("/v1/chat/completions", method(http.MethodPost, s.chats))
	s.mux.HandleFunc("/v1/models", method(http.MethodGet, s.models))
	s.mux.HandleFunc("/v1/models/{id...}", method(http.MethodGet, s.model))
	s.mux.HandleFunc("/health", method(http.MethodGet, s.health))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		(&apiError{status: http.StatusNotFound, Message: "no such path: " + r.URL.Path}).write(w)
	})
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Serve answers requests on l until ctx ends; then it takes no more, and what runs has grace to end by itself before it is cut off.
// The engine stays open.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	return Listen(ctx, l, s, grace)
}

// Listen is Serve for a handler that has a Server behind it.
func Listen(ctx context.Context, l net.Listener, handler http.Handler, grace time.Duration) error {
	cut, stop := context.WithCancel(context.Background())
	defer stop()
	h := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return cut }}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last, done := context.WithTimeout(context.Background(), grace)
	defer done()
	if err := h.Shutdown(last); err != nil {
		stop() // handlers see their context end, tell their clients, and return
		last, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		if h.Shutdown(last) != nil {
			h.Close()
		}
	}
	return nil
}

func method(name string, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != name && !(name == http.MethodGet && r.Method == http.MethodHead) {
			w.Header().Set("Allow", name)
			(&apiError{status: http.StatusMethodNotAllowed, Message: r.URL.Path + " takes " + name}).write(w)
			return
		}
		handle(w, r)
	}
}

// apiError is an error in OpenAI's shape.
type apiError struct {
	status  int
	Message string `json:"message"`
	Type    string `json:"type"`
	Param   any    `json:"param"`
	Code    any    `json:"code"`
}

func invalid(param, format string, args ...any) *apiError {
	e := &apiError{status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
	if param != "" {
		e.Param = param
	}
	return e
}

// failure turns what the engine says into what the client is told.
func failure(err error) *apiError {
	var prompt *PromptError
	switch {
	case errors.As(err, &prompt):
		e := invalid("prompt", "%v", err)
		if prompt.Tokens > prompt.Context {
			e.Code = "context_length_exceeded"
		}
		return e
	case errors.Is(err, ErrBusy):
		return &apiError{status: http.StatusTooManyRequests, Message: err.Error() + ": try again", Type: "rate_limit_error", Code: "rate_limit_exceeded"}
	case errors.Is(err, ErrClosed), errors.Is(err, context.Canceled):
		return &apiError{status: http.StatusServiceUnavailable, Message: "the server is shutting down", Type: "server_error"}
	}
	return &apiError{status: http.StatusInternalServerError, Message: err.Error(), Type: "server_error"}
}

func (e *apiError) body() []byte {
	if e.Type == "" {
		e.Type = "invalid_request_error"
	}
	b, _ := json.Marshal(map[string]*apiError{"error": e})
	return b
}

func (e *apiError) write(w http.ResponseWriter) {
	if e.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	w.Write(e.body())
}

func answer(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		failure(err).write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}

type modelInfo struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
	Context int    `json:"max_model_len"` // by this name in vLLM
}

func (s *Server) info() modelInfo {
	return modelInfo{s.name, "model", s.started.Unix(), "winnow", s.engine.Context()}
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"object": "list", "data": []modelInfo{s.info()}})
}

func (s *Server) model(w http.ResponseWriter, r *http.Request) {
	if err := s.known(r.PathValue("id")); err != nil {
		err.write(w)
		return
	}
	answer(w, s.info())
}

// known refuses other models' names; no name is this model's.
func (s *Server) known(model string) *apiError {
	if model == "" || model == s.name {
		return nil
	}
	return &apiError{status: http.StatusNotFound, Message: fmt.Sprintf("model %q is not served here; %q is", model, s.name), Param: "model", Code: "model_not_found"}
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"status": "ok", "model": s.name, "load": s.engine.Load()})
}

// id names one answer.
func (s *Server) id(prefix string) string {
	return fmt.Sprintf("%s-%x-%d", prefix, s.started.UnixNano(), s.number.Add(1))
}
