package jobs

import (
	"bytes"
	"context"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/coder"

	"winnow/beam/tasks"
)

// sumOfInts is the form of a counter's value: one signed variable-length integer.
const sumOfInts = "beam:metric:user:sum_int64:v1"

// counters asks for what package tasks counts, all workers together: what is committed where the runner tells, else what was tried.
func (s *Service) counters(ctx context.Context, id string) (Counters, error) {
	got, err := s.client.GetJobMetrics(ctx, &jobpb.GetJobMetricsRequest{JobId: id})
	if err != nil {
		return nil, err
	}
	attempted, committed := sum(got.GetMetrics().GetAttempted()), sum(got.GetMetrics().GetCommitted())
	for name, n := range committed {
		attempted[name] = max(attempted[name], n)
	}
	return attempted, nil
}

func sum(infos []*pipepb.MonitoringInfo) Counters {
	out := Counters{}
	for _, m := range infos {
		if m.GetUrn() != sumOfInts || m.GetLabels()["NAMESPACE"] != tasks.Namespace {
			continue
		}
		if n, err := coder.DecodeVarInt(bytes.NewReader(m.GetPayload())); err == nil {
			out[m.GetLabels()["NAME"]] += n
		}
	}
	return out
}
