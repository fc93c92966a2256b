package tree

import (
	"cmp"
	"slices"

	"golang.org/x/net/html"
)

// reopen opens the formatting elements anew that the end of a block has closed.
func (b *Builder) reopen() {
	i := len(b.formats)
	for i > 0 && b.formats[i-1].node != nil && b.indexOf(b.formats[i-1].node) < 0 {
		i--
	}
	for ; i < len(b.formats); i++ {
		f := &b.formats[i]
		f.node = b.clone(f.node)
		b.add(f.node)
		b.push(f.node, f.tag)
	}
}

// clone is a new node with the tag and the attributes of n.
func (b *Builder) clone(n *html.Node) *html.Node {
	c := b.node(html.ElementNode)
	c.DataAtom, c.Data = n.DataAtom, n.Data
	c.Attr = slices.Clip(n.Attr)
	return c
}

// addFormat adds a formatting element. Of those alike no more than three are opened anew.
func (b *Builder) addFormat() {
	n := b.element()
	if len(n.Attr) > 1 {
		slices.SortFunc(n.Attr, func(x, y html.Attribute) int { return cmp.Compare(x.Key, y.Key) })
	}
	same := 0
	for i := len(b.formats) - 1; i >= 0 && b.formats[i].node != nil; i-- {
		f := b.formats[i]
		if f.node.DataAtom != n.DataAtom || !slices.Equal(f.node.Attr, n.Attr) {
			continue
		}
		if same++; same >= 3 {
			b.formats = slices.Delete(b.formats, i, i+1)
		}
	}
	b.formats = append(b.formats, entry{n, b.tok.tag})
}

// clearFormats forgets formatting elements down to the last boundary.
func (b *Builder) clearFormats() {
	for i := len(b.formats) - 1; i >= 0; i-- {
		if b.formats[i].node == nil {
			b.formats = b.formats[:i]
			return
		}
	}
	b.hard = b.hard || len(b.formats) == 0 // the library gives up
	b.formats = b.formats[:0]
}

// closeAnchor ends the anchor within which another one begins.
func (b *Builder) closeAnchor() {
	for i := len(b.formats) - 1; i >= 0 && b.formats[i].node != nil; i-- {
		if f := b.formats[i]; f.tag.id == tA {
			b.endFormat(f.tag, "a")
			if at := b.indexOf(f.node); at >= 0 {
				b.count[tA]--
				b.open = slices.Delete(b.open, at, at+1)
			}
			b.forget(f.node)
			return
		}
	}
}

// forget takes an element off the list of formatting elements.
func (b *Builder) forget(n *html.Node) {
	for i := len(b.formats) - 1; i >= 0; i-- {
		if b.formats[i].node == n {
			b.formats = slices.Delete(b.formats, i, i+1)
			return
		}
	}
}

// formatIndex is where an element lies on the list of formatting elements; -1 where it is not on it.
func (b *Builder) formatIndex(n *html.Node) int {
	for i := len(b.formats) - 1; i >= 0; i-- {
		if b.formats[i].node == n {
			return i
		}
	}
	return -1
}

// endFormat closes a formatting element, where no block is open within it.
func (b *Builder) endFormat(t *tag, name string) {
	if top := b.open[len(b.open)-1]; top.node.Data == name && b.formatIndex(top.node) < 0 {
		b.pop(len(b.open) - 1)
		return
	}
	for range 8 {
		f := len(b.formats) - 1
		for f >= 0 && b.formats[f].node != nil && b.formats[f].tag != t {
			f--
		}
		if f < 0 || b.formats[f].node == nil {
			b.endOther(t, name)
			return
		}
		at := b.indexOf(b.formats[f].node)
		switch {
		case at < 0:
			b.formats = slices.Delete(b.formats, f, f+1)
			return
		case b.find(t.id, scope) < 0:
			return
		}
		within := slices.IndexFunc(b.open[at:], func(e entry) bool { return e.tag.groups&special != 0 })
		if within < 0 {
			b.pop(at)
			b.formats = slices.Delete(b.formats, f, f+1)
			return
		}
		b.adopt(f, at, at+within)
	}
}

// adopt moves the block that was opened within a formatting element out of it, since the element ends within the block: the
// elements in between are doubled around the block, and its content goes into a copy of the element (the adoption agency of
// the standard). f is the element's place on the list, at its place among the open ones, within that of the block.
func (b *Builder) adopt(f, at, within int) {
	format, block := b.formats[f], b.open[within]
	place, last := f, block.node
	for i, n := within-1, 1; i > at; i, n = i-1, n+1 {
		e := &b.open[i]
		listed := b.formatIndex(e.node)
		if n > 3 && listed >= 0 {
			b.formats = slices.Delete(b.formats, listed, listed+1)
			if listed <= place {
				place--
			}
			continue // and, unlike in the standard, it stays open
		}
		if listed < 0 {
			b.count[e.tag.id]--
			b.open = slices.Delete(b.open, i, i+1)
			continue
		}
		e.node = b.clone(e.node)
		b.formats[listed].node = e.node
		if last == block.node {
			place = listed + 1
		}
		remove(last)
		appendChild(e.node, last)
		last = e.node
	}
	remove(last)
	if around := b.open[at-1]; around.tag.groups&outside != 0 {
		b.fosterParent(last)
	} else {
		appendChild(around.node, last)
	}
	clone := b.clone(format.node)
	for c := block.node.FirstChild; c != nil; c = block.node.FirstChild {
		remove(c)
		appendChild(clone, c)
	}
	appendChild(block.node, clone)
	if old := b.formatIndex(format.node); old >= 0 {
		if old < place {
			place--
		}
		b.formats = slices.Delete(b.formats, old, old+1)
	}
	b.formats = slices.Insert(b.formats, place, entry{clone, format.tag})
	if i := b.indexOf(format.node); i >= 0 {
		b.open = slices.Delete(b.open, i, i+1)
	}
	b.open = slices.Insert(b.open, b.indexOf(block.node)+1, entry{clone, format.tag})
}

// remove takes a node out of its parent.
func remove(n *html.Node) {
	parent := n.Parent
	if parent == nil {
		return
	}
	if n.PrevSibling != nil {
		n.PrevSibling.NextSibling = n.NextSibling
	} else {
		parent.FirstChild = n.NextSibling
	}
	if n.NextSibling != nil {
		n.NextSibling.PrevSibling = n.PrevSibling
	} else {
		parent.LastChild = n.PrevSibling
	}
	n.Parent, n.PrevSibling, n.NextSibling = nil, nil, nil
}
