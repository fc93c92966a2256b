package classify

var goodEnglish = []string{
	`Bread rises because yeast eats the sugar in the dough and gives off carbon dioxide. The gas is caught in a net of gluten,
which kneading makes strong and elastic. If the kitchen is cold, the yeast works more slowly, and many bakers think that the
loaf tastes better for it.`,
	`The river was moved twice. In the first survey it ran east of the church; a century later, after the great flood, it had
cut through the meadow and left the old bed as a crescent of still water, where herons now stand in the mornings.`,
	`To replace the washer, first shut the valve under the sink and open the tap to let out what is left. Unscrew the handle,
lift the cartridge, and look at the rubber ring: if it is flat or cracked, that is why the tap drips.`,
	`A binary search halves the range at every step. It needs the list to be sorted, and it is easy to get wrong at the ends:
write down what is true of both bounds before the loop, and check that each branch keeps it true.`,
	`My grandmother kept the letters in a biscuit tin. She had never shown them to anyone, and when she finally read one aloud
her voice was quite steady, as though the person who had written it were in the next room.`,
	`Owls hear so well because their ears are not level. A sound from below reaches one ear a little earlier than the other,
and from that small difference the bird knows how steeply to dive, even in complete darkness.`,
}

var badEnglish = []string{
	`Home | News | Sports | Contact | Login | Register | Home | About us | Privacy | Terms | Cookies | Sitemap | Login`,
	`BEST casino bonus 2026!!! casino bonus free spins best casino online casino bonus click here click here casino bonus now`,
	`We use cookies. Accept all. Reject all. Manage preferences. Accept all cookies. Cookie settings. Accept all. Close.`,
	`Buy cheap shoes cheap shoes online cheap shoes discount cheap shoes sale buy now free shipping cheap shoes best price`,
	`Please enable JavaScript to view this page. Please enable JavaScript. Loading... Loading... Please wait. Click here.`,
	`Share on Facebook Share on Twitter Share on WhatsApp Like 12 Like 7 Reply Share Report 3 comments Load more Login to reply`,
}

var goodChinese = []string{
	`面团发酵，是因为酵母吃掉了面粉里的糖，放出二氧化碳。揉面让面筋变得又韧又有弹性，像一张网把气体兜住。天冷的时候发得慢，许多师傅却觉得慢慢发出来的馒头更香。`,
	`村口的老槐树据说有三百年了。夏天的傍晚，老人们搬着竹椅坐在树下，说起从前修渠的事，谁家出了几个人，挖了多少天，都记得清清楚楚。`,
	`更换水龙头的垫圈之前，先把洗手池下面的阀门关上，再拧开龙头把剩下的水放掉。卸下手柄，取出阀芯，看看橡胶圈是不是已经压扁或者开裂，漏水多半就是因为它。`,
	`二分查找每一步都把范围缩小一半，前提是数组已经排好序。它最容易在边界上出错：循环之前先想清楚左右两端各满足什么条件，再检查每个分支是否保持了这个条件。`,
	`猫头鹰的听觉之所以灵敏，是因为它的两只耳朵高低不一样。从下方传来的声音先到达其中一只，凭着这一点点差别，它在漆黑的夜里也能判断猎物的位置。`,
	`外婆的信都收在一个饼干盒里，从来没有给人看过。那天她终于念了其中一封，声音很平静，好像写信的人就坐在隔壁房间里一样。`,
}

var badChinese = []string{
	`首页 新闻 体育 财经 娱乐 登录 注册 联系我们 关于我们 网站地图 首页 登录 注册 返回顶部`,
	`开户送彩金！！！最新网址 博彩平台 注册送彩金 开户送彩金 首存优惠 点击进入 立即注册 最新网址 送彩金`,
	`本站使用缓存文件。接受全部 拒绝全部 管理设置 接受全部 关闭 接受全部 隐私政策 点击关闭`,
	`特价运动鞋 运动鞋批发 运动鞋特价 正品运动鞋 立即购买 加入购物车 立即购买 包邮 特价 运动鞋批发 立即购买`,
	`请启用脚本后刷新页面。正在加载 正在加载 请稍候 点击刷新 请启用脚本 点击这里 正在加载`,
	`分享到微信 分享到微博 点赞 收藏 举报 回复 点赞 加载更多 登录后回复 分享 点赞 收藏 举报`,
}

func trainingTexts() (good, bad []string) {
	good = append(append(good, goodEnglish[:4]...), goodChinese[:4]...)
	bad = append(append(bad, badEnglish[:4]...), badChinese[:4]...)
	return good, bad
}

func heldOutTexts() (good, bad []string) {
	good = append(append(good, goodEnglish[4:]...), goodChinese[4:]...)
	bad = append(append(bad, badEnglish[4:]...), badChinese[4:]...)
	return good, bad
}
