package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Answers is an endpoint that gives the same answer to whatever it is asked, at once, and does as little else as it can. It writes its
// base URL as a line, and serves until stdin ends.
func Answers(stdin io.Reader, w io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	answer := strings.Repeat("Harlow's bridge, completed in 1784, bore some 1200 carts daily; in 1912 a flood ended that. ", 8)
	body := fmt.Appendf(nil, `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",`+
		`"message":{"role":"assistant","content":%q}}],"usage":{"prompt_tokens":400,"completion_tokens":200,"total_tokens":600}}`, answer)
	whole := append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body)), body...)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil { // closed
				return
			}
			go func() { defer c.Close(); answerAll(c, whole) }()
		}
	}()
	if _, err := fmt.Fprintf(w, "http://%s/v1\n", l.Addr()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// answerAll answers one request after another on a connection, until it ends or a request is none.
func answerAll(c net.Conn, whole []byte) {
	r := bufio.NewReaderSize(c, 8<<10)
	for {
		length := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			line = bytes.TrimRight(line, "\r\n")
			if len(line) == 0 {
				break
			}
			if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
				if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
					return
				}
			}
		}
		if _, err := r.Discard(length); err != nil {
			return
		}
		if _, err := c.Write(whole); err != nil {
			return
		}
	}
}

// answering is an endpoint under way: in a process of its own where a command for it is known.
type answering struct {
	url  string
	stop func() (cpu time.Duration, err error) // 0 where it cannot be told apart
}

func answers(ctx context.Context, command []string) (*answering, error) {
	if len(command) == 0 {
		return answersHere()
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() (time.Duration, error) {
		err := errors.Join(in.Close(), cmd.Wait())
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_, stopped := stop()
		return nil, errors.Join(err, stopped)
	}
	return &answering{strings.TrimSpace(line), stop}, nil
}

func answersHere() (*answering, error) {
	in, end := io.Pipe()
	line, said := io.Pipe()
	done := make(chan error, 1)
	go func() { err := Answers(in, said); said.CloseWithError(err); done <- err }()
	url, err := bufio.NewReader(line).ReadString('\n')
	if err != nil {
		return nil, err
	}
	return &answering{strings.TrimSpace(url), func() (time.Duration, error) { end.Close(); return 0, <-done }}, nil
}
