package jobs

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/extworker"
	"google.golang.org/protobuf/encoding/protojson"

	"winnow/beam/tasks"
)

// Loopback has the runner send all work to this process. Close it after the last job.
func Loopback(ctx context.Context) (env *pipepb.Environment, close func() error, err error) {
	server, err := extworker.StartLoopback(ctx, 0)
	if err != nil {
		return nil, nil, err
	}
	env, err = External(ctx, server.EnvironmentConfig(ctx))
	return env, func() error { return server.Stop(context.WithoutCancel(ctx)) }, err
}

// External has the runner ask a pool of workers, at host:port as the runner's machines see it: see Pool.
func External(ctx context.Context, address string) (*pipepb.Environment, error) {
	return environment(ctx, graphx.URNEnvExternal, address)
}

// Process has the runner start command on its machines, which is this program at the same place, and work in folder, to which a
// recipe's paths are relative.
func Process(ctx context.Context, command, folder string) (*pipepb.Environment, error) {
	build, err := tasks.Build()
	if err != nil {
		return nil, err
	}
	payload, err := protojson.Marshal(&pipepb.ProcessPayload{Command: command, Env: map[string]string{envBuild: build, envFolder: folder}})
	if err != nil {
		return nil, err
	}
	return environment(ctx, graphx.URNEnvProcess, string(payload))
}

func environment(ctx context.Context, urn, config string) (*pipepb.Environment, error) {
	env, err := graphx.CreateEnvironment(ctx, urn, func(context.Context) string { return config })
	if err != nil {
		return nil, err
	}
	env.Dependencies = nil // workers have the program: nothing is staged
	return env, nil
}

// Pool serves as a pool of workers at a port of localhost until ctx ends: a runner's machine, or the pod that it shares, runs one.
func Pool(ctx context.Context, port int) error {
	server, err := extworker.StartLoopback(ctx, port)
	if err != nil {
		return err
	}
	<-ctx.Done()
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(context.WithoutCancel(ctx)) }()
	select {
	case err = <-stopped:
	case <-time.After(cancelWithin): // a job that is still there holds on to it
		err = fmt.Errorf("pool: a job is still at work")
	}
	return err
}

// The environment of a process that a runner started.
const (
	envBuild  = "WINNOW_BEAM_BUILD"
	envFolder = "WINNOW_BEAM_FOLDER"
)

// IsWorker tells whether a runner started this process to work.
func IsWorker() bool { return os.Getenv(envBuild) != "" }
