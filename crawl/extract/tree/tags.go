package tree

import "golang.org/x/net/html/atom"

// rule says what a start or an end tag does in a body.
type rule uint8

const (
	other       rule = iota
	block            // closes a paragraph
	heading          // a block; closes a heading
	preBlock         // a block whose first line end is left out
	formBlock        // a block, one at a time
	listItem         // a block; closes an item
	term             // a block; closes a term
	paragraph        // a block whose end tag alone stands for an empty one
	formatting       // opened anew in the blocks behind, until it is closed
	anchor           // formatting that does not nest
	noBreak          // likewise
	boundary         // keeps formatting outside
	void             // has no content
	voidPlain        // void, and without formatting
	voidInput        // void; closes a select
	voidBlock        // void; closes a paragraph
	lineBreak        // void; its end tag stands for it
	imageTag         // img
	buttonTag        // does not nest
	tableTag         // begins a table
	textareaTag      // holds text alone
	xmpTag           // holds markup as text
	rawText          // likewise
	noscriptTag      // holds markup, since scripts do not run
	selectTag        // does not nest
	optionTag        // of a select
	optgroupTag      // of a select
	rubyBase         // rb, rtc
	rubyText         // rp, rt
	headTag          // belongs into a head
	htmlTag          // the root
	bodyTag          // the body
	nothing          // has no meaning outside of tables
	templateTag      // a page of its own within the page
	foreign          // drawings, formulas, frames: for the library
)

// group says what else an element counts for.
type group uint16

const (
	special  group = 1 << iota // ends the search for other end tags
	scope                      // ends the search for an open element
	lists                      // likewise for an item
	buttons                    // likewise for a paragraph
	tables                     // likewise within a table
	implied                    // closed by the end of what is around it
	outside                    // its text goes in front of the table
	sections                   // of a table
	titles                     // h1 to h6
	raw                        // its content is text
)

// tag is a name of elements and what it means.
type tag struct {
	name       string
	start, end rule
	groups     group
	id         uint8
	atom       atom.Atom
	key        uint64
}

const (
	unknown = iota
	tA
	tAbbr
	tAcronym
	tAddress
	tApplet
	tArea
	tArticle
	tAside
	tAudio
	tB
	tBase
	tBasefont
	tBdi
	tBdo
	tBgsound
	tBig
	tBlockquote
	tBody
	tBr
	tButton
	tCanvas
	tCaption
	tCenter
	tCite
	tCode
	tCol
	tColgroup
	tData
	tDatalist
	tDd
	tDel
	tDetails
	tDfn
	tDialog
	tDir
	tDiv
	tDl
	tDt
	tEm
	tEmbed
	tFieldset
	tFigcaption
	tFigure
	tFont
	tFooter
	tForm
	tFrame
	tFrameset
	tH1
	tH2
	tH3
	tH4
	tH5
	tH6
	tHead
	tHeader
	tHgroup
	tHr
	tHtml
	tI
	tIframe
	tImage
	tImg
	tInput
	tIns
	tKbd
	tKeygen
	tLabel
	tLegend
	tLi
	tLink
	tListing
	tMain
	tMap
	tMark
	tMarquee
	tMath
	tMenu
	tMeta
	tMeter
	tNav
	tNobr
	tNoembed
	tNoframes
	tNoscript
	tObject
	tOl
	tOptgroup
	tOption
	tOutput
	tP
	tParam
	tPicture
	tPlaintext
	tPre
	tProgress
	tQ
	tRb
	tRp
	tRt
	tRtc
	tRuby
	tS
	tSamp
	tScript
	tSearch
	tSection
	tSelect
	tSlot
	tSmall
	tSource
	tSpan
	tStrike
	tStrong
	tStyle
	tSub
	tSummary
	tSup
	tSvg
	tTable
	tTbody
	tTd
	tTemplate
	tTextarea
	tTfoot
	tTh
	tThead
	tTime
	tTitle
	tTr
	tTrack
	tTt
	tU
	tUl
	tVar
	tVideo
	tWbr
	tXmp
	tagCount
)

// tags holds what the tags of HTML mean; the first stands for all others. It is read only.
var tags = complete([tagCount]tag{
	tA:          {name: "a", start: anchor, end: formatting},
	tAbbr:       {name: "abbr"},
	tAcronym:    {name: "acronym"},
	tAddress:    {name: "address", start: block, end: block, groups: special},
	tApplet:     {name: "applet", start: boundary, end: boundary, groups: special | scope},
	tArea:       {name: "area", start: void, groups: special},
	tArticle:    {name: "article", start: block, end: block, groups: special},
	tAside:      {name: "aside", start: block, end: block, groups: special},
	tAudio:      {name: "audio"},
	tB:          {name: "b", start: formatting, end: formatting},
	tBase:       {name: "base", start: headTag, groups: special},
	tBasefont:   {name: "basefont", start: headTag, groups: special},
	tBdi:        {name: "bdi"},
	tBdo:        {name: "bdo"},
	tBgsound:    {name: "bgsound", start: headTag, groups: special},
	tBig:        {name: "big", start: formatting, end: formatting},
	tBlockquote: {name: "blockquote", start: block, end: block, groups: special},
	tBody:       {name: "body", start: bodyTag, end: bodyTag, groups: special},
	tBr:         {name: "br", start: lineBreak, end: lineBreak, groups: special},
	tButton:     {name: "button", start: buttonTag, end: block, groups: special | buttons},
	tCanvas:     {name: "canvas"},
	tCaption:    {name: "caption", start: nothing, groups: special | scope},
	tCenter:     {name: "center", start: block, end: block, groups: special},
	tCite:       {name: "cite"},
	tCode:       {name: "code", start: formatting, end: formatting},
	tCol:        {name: "col", start: nothing, groups: special},
	tColgroup:   {name: "colgroup", start: nothing, groups: special},
	tData:       {name: "data"},
	tDatalist:   {name: "datalist"},
	tDd:         {name: "dd", start: term, end: term, groups: special | implied},
	tDel:        {name: "del"},
	tDetails:    {name: "details", start: block, end: block, groups: special},
	tDfn:        {name: "dfn"},
	tDialog:     {name: "dialog", start: block, end: block},
	tDir:        {name: "dir", start: block, end: block, groups: special},
	tDiv:        {name: "div", start: block, end: block, groups: special},
	tDl:         {name: "dl", start: block, end: block, groups: special},
	tDt:         {name: "dt", start: term, end: term, groups: special | implied},
	tEm:         {name: "em", start: formatting, end: formatting},
	tEmbed:      {name: "embed", start: void, groups: special},
	tFieldset:   {name: "fieldset", start: block, end: block, groups: special},
	tFigcaption: {name: "figcaption", start: block, end: block, groups: special},
	tFigure:     {name: "figure", start: block, end: block, groups: special},
	tFont:       {name: "font", start: formatting, end: formatting},
	tFooter:     {name: "footer", start: block, end: block, groups: special},
	tForm:       {name: "form", start: formBlock, end: formBlock, groups: special},
	tFrame:      {name: "frame", start: foreign, end: foreign},
	tFrameset:   {name: "frameset", start: foreign, end: foreign},
	tH1:         {name: "h1", start: heading, end: heading, groups: special | titles},
	tH2:         {name: "h2", start: heading, end: heading, groups: special | titles},
	tH3:         {name: "h3", start: heading, end: heading, groups: special | titles},
	tH4:         {name: "h4", start: heading, end: heading, groups: special | titles},
	tH5:         {name: "h5", start: heading, end: heading, groups: special | titles},
	tH6:         {name: "h6", start: heading, end: heading, groups: special | titles},
	tHead:       {name: "head", start: nothing, groups: special},
	tHeader:     {name: "header", start: block, end: block, groups: special},
	tHgroup:     {name: "hgroup", start: block, end: block, groups: special},
	tHr:         {name: "hr", start: voidBlock, groups: special},
	tHtml:       {name: "html", start: htmlTag, end: htmlTag, groups: special | scope | tables},
	tI:          {name: "i", start: formatting, end: formatting},
	tIframe:     {name: "iframe", start: rawText, groups: special | raw},
	tImage:      {name: "image", start: imageTag},
	tImg:        {name: "img", start: void, groups: special},
	tInput:      {name: "input", start: voidInput, groups: special},
	tIns:        {name: "ins"},
	tKbd:        {name: "kbd"},
	tKeygen:     {name: "keygen", start: void, groups: special},
	tLabel:      {name: "label"},
	tLegend:     {name: "legend"},
	tLi:         {name: "li", start: listItem, end: listItem, groups: special | implied},
	tLink:       {name: "link", start: headTag, groups: special},
	tListing:    {name: "listing", start: preBlock, end: block, groups: special},
	tMain:       {name: "main", start: block, end: block, groups: special},
	tMap:        {name: "map"},
	tMark:       {name: "mark"},
	tMarquee:    {name: "marquee", start: boundary, end: boundary, groups: special | scope},
	tMath:       {name: "math", start: foreign, end: foreign},
	tMenu:       {name: "menu", start: block, end: block, groups: special},
	tMeta:       {name: "meta", start: headTag, groups: special},
	tMeter:      {name: "meter"},
	tNav:        {name: "nav", start: block, end: block, groups: special},
	tNobr:       {name: "nobr", start: noBreak, end: formatting},
	tNoembed:    {name: "noembed", start: rawText, groups: special | raw},
	tNoframes:   {name: "noframes", start: headTag, groups: special | raw},
	tNoscript:   {name: "noscript", start: noscriptTag, groups: special},
	tObject:     {name: "object", start: boundary, end: boundary, groups: special | scope},
	tOl:         {name: "ol", start: block, end: block, groups: special | lists},
	tOptgroup:   {name: "optgroup", start: optgroupTag, groups: implied},
	tOption:     {name: "option", start: optionTag, groups: implied},
	tOutput:     {name: "output"},
	tP:          {name: "p", start: paragraph, end: paragraph, groups: special | implied},
	tParam:      {name: "param", start: voidPlain, groups: special},
	tPicture:    {name: "picture"},
	tPlaintext:  {name: "plaintext", start: block, groups: special | raw},
	tPre:        {name: "pre", start: preBlock, end: block, groups: special},
	tProgress:   {name: "progress"},
	tQ:          {name: "q"},
	tRb:         {name: "rb", start: rubyBase, groups: implied},
	tRp:         {name: "rp", start: rubyText, groups: implied},
	tRt:         {name: "rt", start: rubyText, groups: implied},
	tRtc:        {name: "rtc", start: rubyBase, groups: implied},
	tRuby:       {name: "ruby"},
	tS:          {name: "s", start: formatting, end: formatting},
	tSamp:       {name: "samp"},
	tScript:     {name: "script", start: headTag, groups: special | raw},
	tSearch:     {name: "search", start: block, end: block},
	tSection:    {name: "section", start: block, end: block, groups: special},
	tSelect:     {name: "select", start: selectTag, end: block, groups: special | scope},
	tSlot:       {name: "slot"},
	tSmall:      {name: "small", start: formatting, end: formatting},
	tSource:     {name: "source", start: voidPlain, groups: special},
	tSpan:       {name: "span"},
	tStrike:     {name: "strike", start: formatting, end: formatting},
	tStrong:     {name: "strong", start: formatting, end: formatting},
	tStyle:      {name: "style", start: headTag, groups: special | raw},
	tSub:        {name: "sub"},
	tSummary:    {name: "summary", start: block, end: block, groups: special},
	tSup:        {name: "sup"},
	tSvg:        {name: "svg", start: foreign, end: foreign},
	tTable:      {name: "table", start: tableTag, end: nothing, groups: special | scope | tables | outside},
	tTbody:      {name: "tbody", start: nothing, groups: special | outside | sections},
	tTd:         {name: "td", start: nothing, groups: special | scope},
	tTemplate:   {name: "template", start: templateTag, end: templateTag, groups: special | scope | tables},
	tTextarea:   {name: "textarea", start: textareaTag, groups: special | raw},
	tTfoot:      {name: "tfoot", start: nothing, groups: special | outside | sections},
	tTh:         {name: "th", start: nothing, groups: special | scope},
	tThead:      {name: "thead", start: nothing, groups: special | outside | sections},
	tTime:       {name: "time"},
	tTitle:      {name: "title", start: headTag, groups: special | raw},
	tTr:         {name: "tr", start: nothing, groups: special | outside},
	tTrack:      {name: "track", start: voidPlain, groups: special},
	tTt:         {name: "tt", start: formatting, end: formatting},
	tU:          {name: "u", start: formatting, end: formatting},
	tUl:         {name: "ul", start: block, end: block, groups: special | lists},
	tVar:        {name: "var"},
	tVideo:      {name: "video"},
	tWbr:        {name: "wbr", start: void, groups: special},
	tXmp:        {name: "xmp", start: xmpTag, groups: special | raw},
})
