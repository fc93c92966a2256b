package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/harness"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"

	"winnow/beam/tasks"
)

// Work works for the runner that started this process with args, until the runner ends it. Another build than that which made
// the graph refuses. The program is the worker itself: nothing is fetched, copied or started anew.
func Work(ctx context.Context, args []string) error {
	build, err := tasks.Build()
	if err != nil {
		return err
	}
	if want := os.Getenv(envBuild); build != want {
		return fmt.Errorf("worker: this is another build (%.12s) than the program that submitted the job (%.12s): install the same winnow-beam on all machines", build, want)
	}
	if err := os.Chdir(os.Getenv(envFolder)); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	given := workerArgs(args)
	ctx = grpcx.WriteWorkerID(ctx, given["id"])
	info, err := tools.ProvisionInfo(ctx, given["provision_endpoint"])
	if err != nil {
		return fmt.Errorf("worker %s: provision: %w", given["id"], err)
	}
	logging := cmp.Or(given["logging_endpoint"], info.GetLoggingEndpoint().GetUrl())
	control := cmp.Or(given["control_endpoint"], info.GetControlEndpoint().GetUrl())
	err = harness.MainWithOptions(ctx, logging, control, harness.Options{
		StatusEndpoint: info.GetStatusEndpoint().GetUrl(), RunnerCapabilities: info.GetRunnerCapabilities(),
	})
	return errors.Join(err, tasks.Close())
}

// workerArgs reads --name=value. Prism 2.77 quotes the id as for a shell, without one.
func workerArgs(args []string) map[string]string {
	out := map[string]string{}
	for _, s := range args {
		name, value, _ := strings.Cut(strings.TrimLeft(s, "-"), "=")
		out[name] = strings.Trim(value, `'"`)
	}
	return out
}
