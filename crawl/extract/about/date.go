package about

import (
	"strings"
	"time"
)

// layouts of dates beyond those that begin with year, month and day in figures.
var layouts = []string{
	time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC, "January 2, 2006", "Jan 2, 2006", "2 January 2006", "2 Jan 2006",
	"January 2 2006", "Mon, 02 Jan 2006", "02.01.2006",
}

// day gives the day of a date as YYYY-MM-DD, in the zone it was written in; "" for what is no date.
func day(s string) string {
	s = strings.TrimSpace(s)
	if d := figures(s); d != "" {
		return d
	}
	for _, layout := range layouts {
		for _, part := range [...]string{s, s[:min(len(s), len(layout))]} {
			if t, err := time.Parse(layout, part); err == nil {
				return t.Format(time.DateOnly)
			}
		}
	}
	return ""
}

// figures reads year, month and day off the start of s: 2026-11-23T08:00, 2026/11/3, 20261123, 2026年11月23日.
func figures(s string) string {
	if s = s[:min(len(s), 24)]; !strings.ContainsAny(s, "0123456789") {
		return ""
	}
	s = dateSigns.Replace(s)
	for _, layout := range [...]string{"2006-1-2", "20060102"} {
		end := 0
		for end < len(s) && end < len("2006-01-02") && (s[end] == '-' || s[end] >= '0' && s[end] <= '9') {
			end++
		}
		for ; end >= len(layout)-2 && end >= 8; end-- {
			if t, err := time.Parse(layout, s[:end]); err == nil && t.Year() >= 1990 && t.Year() < 2100 {
				return t.Format(time.DateOnly)
			}
		}
	}
	return ""
}

// DayIn finds the first day in a line that may say more: "Posted on March 4, 2021 by", "2005-05-07 21:23:57".
func DayIn(s string) string {
	fields := strings.FieldsFunc(s, func(r rune) bool {
		return r <= ' ' || r == '|' || r == '·' || r == '\u00a0' || r == '：' || r == '（' || r == '('
	})
	for i := range min(len(fields), 12) {
		if d := figures(fields[i]); d != "" {
			return d
		}
		for n := 4; n >= 1; n-- {
			if i+n > len(fields) {
				continue
			}
			words := strings.TrimRight(strings.Join(fields[i:i+n], " "), ".,;")
			if d := named(words); d != "" {
				return d
			}
		}
	}
	return ""
}

// named reads a date with the name of a month, English or German.
func named(s string) string {
	s = germanMonths.Replace(s)
	for _, layout := range [...]string{"January 2, 2006", "Jan 2, 2006", "Jan. 2, 2006", "January 2 2006", "2 January 2006", "2 Jan 2006", "2 January, 2006", "2. January 2006", "02.01.2006", "2.1.2006", "January 2, 2006"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1990 && t.Year() < 2100 {
			return t.Format(time.DateOnly)
		}
	}
	return ""
}

var germanMonths = strings.NewReplacer("Januar ", "January ", "Februar ", "February ", "März ", "March ", "Mai ", "May ", "Juni ", "June ", "Juli ", "July ",
	"Oktober ", "October ", "Dezember ", "December ", "Mrz ", "March ", "st,", ",", "nd,", ",", "rd,", ",", "th,", ",")

// dateSigns makes what stands between the figures of a date alike. It is read only.
var dateSigns = strings.NewReplacer("/", "-", ".", "-", "年", "-", "月", "-", "日", "")
