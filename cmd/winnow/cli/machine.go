package cli

import (
	"github.com/spf13/cobra"
)

// MachineFlags say what a model runs on.
type MachineFlags struct {
	Threads int
	Kernel  string
}

func (m *MachineFlags) Add(a *App, cmd *cobra.Command) {
	cmd.Flags().IntVar(&m.Threads, "threads", 0, a.Lang.T("0: one for each core; results do not depend on it", "0 为核数；结果与之无关"))
	cmd.Flags().StringVar(&m.Kernel, "kernel", "", a.Lang.T("instruction set: avx512, avx2, portable; default: the best", "指令集：avx512、avx2、portable；默认最快者"))
}
