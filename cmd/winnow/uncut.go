package main

import (
	"fmt"

	"winnow"
	"winnow/report"
)

// uncut says which ranges of the input are larger than a shard should be, and why: one reader works on each, and a run that
// was stopped in it reads it anew.
func (a *app) uncut(shards []winnow.Shard) {
	const most = 5
	n := 0
	for _, s := range shards {
		for _, r := range s.Parts {
			if r.Uncut == "" {
				continue
			}
			if n++; n <= most {
				a.Say("%s (%s) is read by one reader, and anew after a stop: %s", "%s（%s）只能由一个读取器读，中断后须重读：%s", r.File, report.Bytes(r.End-r.Start), a.whyUncut(r.Uncut))
			}
		}
	}
	if n > most {
		a.Say("so are %d more", "另有 %d 处同样如此", n-most)
	}
}

func (a *app) whyUncut(why string) string {
	l := a.Lang
	switch why {
	case winnow.WhyGzip:
		return l.T("it is one gzip member; written with one member a record (or in blocks, bgzip), it could be cut", "它是单个 gzip 成员；若每条记录一个成员（或分块，如 bgzip）即可切分")
	case winnow.WhyZstd:
		return l.T("it is one zstd frame; written in several frames, it could be cut", "它是单个 zstd 帧；若写成多帧即可切分")
	case winnow.WhyLZ4:
		return l.T("lz4 is not cut; gzip members and zstd frames are", "lz4 不切分；gzip 成员和 zstd 帧可以")
	case winnow.WhyArray:
		return l.T("it is one JSON array; one object a line could be cut", "它是一个 JSON 数组；改为每行一个对象即可切分")
	case winnow.WhyLengths:
		return l.T("the lengths of its records do not lead through it", "其记录长度有误，无法依次找到各记录")
	case winnow.WhyGroup:
		return l.T("it is one row group of a parquet file", "它是 parquet 文件的单个行组")
	case winnow.WhyRanges:
		return l.T("its server gives no ranges, so that it is fetched whole", "服务器不支持范围请求，只能整个下载")
	case winnow.WhyKind:
		return l.T("files of this kind are not cut", "这类文件不切分")
	}
	return fmt.Sprint(why)
}
