package pretrain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train"
)

// trainSweep trains small models over depths and learning rates: where the table of --depths comes from.
func (a *app) trainSweep() *cobra.Command {
	var f baseFlags
	var depths []int
	var rates []float64
	cmd := &cobra.Command{
		Use: "sweep --data RUN --out DIR", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("try learning rates by depth on one's own data", "在自己的数据上按深度试学习率"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.baseOptions(f)
			if err != nil {
				return err
			}
			defer o.Pool.Close()
			arms, err := train.Sweep(cmd.Context(), o, depths, rates, func(m train.Arm) {
				a.Say("depth %d  lr %g  %.3f bits/byte", "深度 %d  学习率 %g  %.3f 比特/字节", m.Depth, m.Rate, m.Held[train.All])
			})
			if err := cmp.Or(a.Refused(err), err); err != nil {
				return err
			}
			if a.JSON {
				e := json.NewEncoder(a.Out)
				e.SetIndent("", "  ")
				return e.Encode(arms)
			}
			return a.sweepTable(arms, depths, rates)
		},
	}
	fl, t := cmd.Flags(), a.Lang.T
	f.add(a, cmd)
	for _, name := range []string{"depth", "depths", "config", "lr", "fresh", "eval-every", "save-every", "sample-every", "minutes", "flops"} {
		_ = fl.MarkHidden(name)
	}
	fl.IntSliceVar(&depths, "try", []int{2, 3, 4}, t("depths", "深度"))
	fl.Float64SliceVar(&rates, "rates", []float64{1e-3, 2e-3, 4e-3, 8e-3}, t("learning rates", "学习率"))
	return cmd
}

// sweepTable shows bits per byte, depths down and rates across.
func (a *app) sweepTable(arms []train.Arm, depths []int, rates []float64) error {
	t := report.Table{Head: []string{a.Lang.T(">depth", ">深度")}}
	for _, r := range rates {
		t.Head = append(t.Head, fmt.Sprintf(">lr %g", r))
	}
	for _, d := range depths {
		row := []string{fmt.Sprint(d)}
		for _, r := range rates {
			i := slices.IndexFunc(arms, func(m train.Arm) bool { return m.Depth == d && m.Rate == r })
			row = append(row, cli.F3(arms[i].Held[train.All]))
		}
		t.Add(row...)
	}
	_, err := fmt.Fprint(a.Out, t.Text())
	return err
}
