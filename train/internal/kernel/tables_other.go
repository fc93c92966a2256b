//go:build !amd64

package kernel

import "runtime"

func tables() []*table { return []*table{portable()} }

func pause() { runtime.Gosched() }
