package demo

import (
	"math/rand/v2"
	"strings"
)

// Letters is a page of nothing but the letter M, upper and lower case in runs, such as forums on microwave ovens have given
// to crawls. It has about n bytes.
func Letters(random *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		run := strings.Repeat("M", 1+random.IntN(200))
		if random.IntN(3) == 0 {
			run = strings.ToLower(run)
		}
		b.WriteString(run)
		if random.IntN(8) == 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

var boilerplate = map[Lang][]string{
	English: {
		"Home | Products | About us | Contact | Login", "We use cookies to improve your experience. Accept all | Reject | Settings",
		"Share this: Facebook Twitter LinkedIn Email", "Copyright 2024 All rights reserved. Terms of use | Privacy policy", "You are here: Home > Archive > Page",
		"Subscribe to our newsletter", "Related posts", "Leave a comment. Your email address will not be published.", "Previous | Next", "Skip to content",
	},
	Chinese: {
		"首页 | 产品 | 关于我们 | 联系方式 | 登录", "本网站使用 Cookie 以改善您的体验。全部接受 | 拒绝 | 设置", "分享到：微信 微博 QQ空间", "版权所有 未经许可不得转载 | 隐私政策 | 使用条款",
		"您的位置：首页 > 新闻 > 正文", "订阅我们的邮件", "相关阅读", "发表评论 您的邮箱不会被公开", "上一篇 | 下一篇", "返回顶部",
	},
}

// Boilerplate is a page of navigation, cookie notices and footers, in lines that repeat from page to page. It has about n bytes.
func Boilerplate(random *rand.Rand, n int, lang Lang) string {
	lines := boilerplate[lang]
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(lines[random.IntN(len(lines))])
		b.WriteByte('\n')
	}
	return b.String()
}
