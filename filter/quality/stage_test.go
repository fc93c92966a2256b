package quality

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/filter/quality/classify"
)

func written(t testing.TB) string {
	t.Helper()
	return save(t, "model.bin", classify.Binary(training.good, training.bad), classify.Options{})
}

// save trains a model and writes it to a file of that name.
func save(t testing.TB, name string, set classify.Set, o classify.Options) string {
	t.Helper()
	m, _, err := classify.Train(set, o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := m.Write(f); err != nil {
		t.Fatal(err)
	}
	return path
}

// training and unseen are texts that a model tells apart.
var training = struct{ good, bad []string }{
	[]string{"Bread rises because yeast eats the sugar in the dough and gives off gas, which a net of gluten catches.",
		"The river was moved twice: after the great flood it had cut through the meadow and left the old bed as a crescent.",
		"面团发酵，是因为酵母吃掉了面粉里的糖，放出二氧化碳，揉面让面筋把气体兜住。", "村口的老槐树据说有三百年了，夏天的傍晚，老人们搬着竹椅坐在树下说起从前修渠的事。"},
	[]string{"BEST casino bonus!!! casino bonus free spins best online casino click here click here casino bonus now",
		"Home | News | Login | Register | About us | Privacy | Terms | Cookies | Sitemap | Login | Click here",
		"开户送彩金！！！最新网址 博彩平台 注册送彩金 点击进入 立即注册 送彩金", "首页 新闻 登录 注册 联系我们 网站地图 返回顶部 登录 注册 点击进入"},
}

var unseen = struct{ good, bad []string }{
	[]string{"The dough rises slowly when the kitchen is cold, because the yeast eats less of the sugar.", "老人们说，面团放在树下，傍晚就发酵好了。"},
	[]string{"casino bonus click here, login, register, free spins now", "最新网址 立即注册 送彩金 点击进入 登录"},
}

func TestStage(t *testing.T) {
	path := written(t)
	s, err := New(Options{Source: Source{Model: path}, MinScore: .5})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range slices.Concat(unseen.good, unseen.bad) {
		d := &winnow.Document{Text: text, Signals: []float32{1}}
		v, edits, err := s.Apply(context.Background(), d)
		if err != nil || edits != nil || len(d.Signals) != 2 {
			t.Fatalf("%v, %d edits, %d signals", err, len(edits), len(d.Signals))
		}
		judged := s.Judge("en", d.Signals[1:])
		judged.Detail = v.Detail
		if judged != v {
			t.Errorf("Apply: %+v, Judge: %+v", v, judged)
		}
		if v.Drop != (d.Signals[1] < .5) || v.Drop && (v.Rule != "quality.score" || v.Value != d.Signals[1]) {
			t.Errorf("%+v", v)
		}
		if v.Drop && v.Detail == "" {
			t.Errorf("%.30q: dropped without evidence", text)
		}
	}
	v, _, _ := s.Apply(context.Background(), &winnow.Document{Text: unseen.bad[0]})
	if !v.Drop || !strings.Contains(v.Detail, "casino") {
		t.Errorf("%+v", v)
	}
	t.Log(v.Detail)
	v, _, _ = s.Apply(context.Background(), &winnow.Document{Text: unseen.bad[1]})
	t.Log(v.Detail)
}

func TestVersionLeavesOutBound(t *testing.T) {
	path := written(t)
	a, _ := New(Options{Source: Source{Model: path}, MinScore: .5})
	b, _ := New(Options{Source: Source{Model: path}, MinScore: .6})
	if a.Version() != b.Version() || a.Bounds() == b.Bounds() {
		t.Errorf("%s %s, %s %s", a.Version(), a.Bounds(), b.Version(), b.Bounds())
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Options{Source: Source{Model: filepath.Join(t.TempDir(), "none.bin")}}); err == nil {
		t.Error("a model that is not there: no error")
	}
	if _, err := New(Options{Source: Source{Model: written(t)}, MinScore: 1.5}); err == nil {
		t.Error("min_score 1.5: no error")
	}
}
