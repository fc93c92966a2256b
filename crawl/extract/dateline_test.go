package extract

import "testing"

func TestChineseAuthor(t *testing.T) {
	for line, want := range map[string]string{
		"作者：安东尼": "安东尼",
		"连载：乔冠华才情人生 出版社：团结出版社 作者：罗银胜": "罗银胜",
		"光明日报记者 王建宏 张文攀":              "王建宏 张文攀",
		"作者： 来源： 发布日期： 7/5/2005":      "",
		"记者却看到了另外一番景致":                "",
		"记者 调查民意调查":                   "",
		"作者们的话":                       "",
		"The author":                  "",
	} {
		if got := chineseAuthor(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

// TestDateline: the lines between title and text tell day and author where nothing else does, and never against the head.
func TestDateline(t *testing.T) {
	body := "<h1>标题</h1><div>2022-02-13 09:57 来源：日报</div><p>记者 王建宏 张文攀</p>" +
		"<p>这是一段很长的正文，里面有许多句子，足以让人看出它是文章的内容。这是第二句，说的还是同一件事情，只是为了长一点。</p>"
	p, err := Extract(body, Options{})
	if err != nil || p.Date != "2022-02-13" || p.Author != "王建宏 张文攀" {
		t.Errorf("got %+v, %v", p, err)
	}
	p, err = Extract(`<meta name=author content="某某"><meta name=pubdate content=20200101>`+body, Options{})
	if err != nil || p.Date != "2020-01-01" || p.Author != "某某" {
		t.Errorf("got %+v, %v", p, err)
	}
}
