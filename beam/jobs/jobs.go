// Package jobs brings graphs to a Beam runner: a graph flows in, states, messages and counters flow out until the job has ended.
// It speaks the portable job service itself, since the SDK's submitter compiles a program at run time, gives no handle to ask or
// cancel a job by, and passes no options of the runner. Workers are of this very program: see Environment.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/runnerlib"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"
)

// Service is a runner's job service.
type Service struct {
	client jobpb.JobServiceClient
	close  func() error
}

// Dial connects to a job service at host:port, which is plain gRPC: keep it on one machine or within one pod.
func Dial(endpoint string) (*Service, error) {
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &Service{jobpb.NewJobServiceClient(conn), conn.Close}, nil
}

// Embedded starts Prism in this process, at a port of localhost, any one for 0. It keeps all blocks in memory and retries nothing:
// it is for tests and for trying out.
func Embedded(ctx context.Context, port int) (*Service, error) {
	client, err := prism.CreateJobServer(ctx, prism.Options{Port: port})
	if err != nil {
		return nil, err
	}
	return &Service{client, func() error { return nil }}, nil
}

// Close ends the connection.
func (s *Service) Close() error { return s.close() }

// Job is one graph to be worked off.
type Job struct {
	Name        string
	Graph       *beam.Pipeline
	Environment *pipepb.Environment
	Options     map[string]any // of the runner, by name: parallelism, flink_master
	Deadline    time.Duration  // after which the job is cancelled; 0: none
}

// Counters are a job's counters by name.
type Counters map[string]int64

// every is how often counters are asked for.
const every = time.Second

// Run submits a job and waits until it has ended. watch is told the counters once a second, and once at the end. Where ctx ends
// or the deadline passes, the job is cancelled. A job that failed is an error with the runner's own words.
func (s *Service) Run(ctx context.Context, j Job, watch func(Counters)) error {
	if j.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, j.Deadline, fmt.Errorf("not done within %v", j.Deadline))
		defer cancel()
	}
	id, err := s.submit(ctx, j)
	if err != nil {
		return fmt.Errorf("job %s: %w", j.Name, err)
	}
	state, why, err := s.wait(ctx, id, watch)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("job %s: %w", j.Name, errors.Join(context.Cause(ctx), s.cancel(id)))
	case err != nil:
		return fmt.Errorf("job %s: %w", j.Name, err)
	case state != jobpb.JobState_DONE:
		return fmt.Errorf("job %s: %s: %s", j.Name, state, why)
	}
	return nil
}

func (s *Service) submit(ctx context.Context, j Job) (id string, err error) {
	edges, _, err := j.Graph.Build()
	if err != nil {
		return "", err
	}
	proto, err := graphx.Marshal(edges, &graphx.Options{Environment: j.Environment})
	if err != nil {
		return "", err
	}
	all := map[string]any{"beam:option:app_name:v1": j.Name, "beam:option:job_name:v1": j.Name, "beam:option:experiments:v1": []any{"beam_fn_api"}}
	for name, v := range j.Options {
		all["beam:option:"+name+":v1"] = v
	}
	options, err := structpb.NewStruct(all)
	if err != nil {
		return "", err
	}
	ready, err := s.client.Prepare(ctx, &jobpb.PrepareJobRequest{Pipeline: proto, PipelineOptions: options, JobName: j.Name}, grpc.WaitForReady(true))
	if err != nil {
		return "", err
	}
	token, err := s.stage(ctx, ready)
	if err != nil {
		return "", err
	}
	started, err := s.client.Run(ctx, &jobpb.RunJobRequest{PreparationId: ready.GetPreparationId(), RetrievalToken: token})
	return started.GetJobId(), err
}

// stage tells the runner that there is nothing to send to workers: they have the program.
func (s *Service) stage(ctx context.Context, ready *jobpb.PrepareJobResponse) (token string, err error) {
	url := ready.GetArtifactStagingEndpoint().GetUrl()
	if url == "" {
		return "", nil
	}
	return runnerlib.Stage(ctx, ready.GetPreparationId(), url, os.DevNull, ready.GetStagingSessionToken())
}

// wait follows a job to its end, and gives its last state and what the runner said of an error.
func (s *Service) wait(ctx context.Context, id string, watch func(Counters)) (jobpb.JobState_Enum, string, error) {
	listening, stop := context.WithCancel(ctx)
	said, ended := make(chan string, 1), make(chan struct{}, 1)
	go s.listen(listening, id, said, ended)
	defer stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, "", ctx.Err()
		case <-tick.C:
		case <-ended:
		}
		got, err := s.client.GetState(ctx, &jobpb.GetJobStateRequest{JobId: id})
		if err != nil {
			return 0, "", err
		}
		if counters, err := s.counters(ctx, id); err == nil { // only progress: some runners have none before the end
			watch(counters)
		}
		if got.GetState() == jobpb.JobState_DONE {
			return got.GetState(), "", nil
		}
		if terminal(got.GetState()) {
			why := "the runner's log says why"
			select {
			case why = <-said:
			case <-time.After(every):
			}
			return got.GetState(), why, nil
		}
	}
}

func terminal(s jobpb.JobState_Enum) bool {
	switch s {
	case jobpb.JobState_DONE, jobpb.JobState_FAILED, jobpb.JobState_CANCELLED, jobpb.JobState_UPDATED, jobpb.JobState_DRAINED:
		return true
	}
	return false
}

// listen passes on the last error that the runner told when its messages end, and says at once when the state is a last one.
func (s *Service) listen(ctx context.Context, id string, said chan<- string, ended chan<- struct{}) {
	last := ""
	defer func() {
		if last != "" {
			said <- last
		}
	}()
	stream, err := s.client.GetMessageStream(ctx, &jobpb.JobMessagesRequest{JobId: id})
	if err != nil {
		return
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			return
		}
		if m.GetMessageResponse().GetImportance() >= jobpb.JobMessage_JOB_MESSAGE_ERROR {
			last = m.GetMessageResponse().GetMessageText()
		}
		if state := m.GetStateResponse(); state != nil && terminal(state.GetState()) {
			select {
			case ended <- struct{}{}:
			default:
			}
			if state.GetState() != jobpb.JobState_FAILED || last != "" {
				return
			}
		}
	}
}

// cancelWithin is how long a runner has to take note of a cancellation.
const cancelWithin = 10 * time.Second

func (s *Service) cancel(id string) error {
	ctx, stop := context.WithTimeout(context.Background(), cancelWithin)
	defer stop()
	if _, err := s.client.Cancel(ctx, &jobpb.CancelJobRequest{JobId: id}); err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	return nil
}
