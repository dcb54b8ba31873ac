package ss

// FlushEvent prints what was kept, so that a row is seen at once. Columns keep the widths that they had; extensions, which ss
// measures only when a row follows, are as wide as they are. The error is the writer's.
func (p *Writer) FlushEvent() error {
	p.tail = 0
	return p.flush()
}
