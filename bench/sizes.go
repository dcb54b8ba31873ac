package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Sizes says in which labs to compare, and where the results go.
type Sizes struct {
	Sizes []int // numbers of sockets
	Shape string
	Dir   string
	// Force runs also the sizes whose results are there.
	Force bool
	// Questions are those that the report of a size must have.
	Questions []Question
	// Compare builds a lab of so many sockets and writes the report of a comparison inside it to a file.
	Compare func(ctx context.Context, sockets int, file string) error
	// Progress takes a line for each size; nil: none.
	Progress io.Writer
}

// Run compares in all sizes, except those whose report is in the directory, and writes a page and charts of all: SHAPE-SIZE.json for each
// size, SHAPE-results.md, SHAPE-QUESTION.svg for each question, and SHAPE-SIZE.svg for the largest size.
func (s *Sizes) Run(ctx context.Context) error {
	if len(s.Sizes) == 0 {
		return errors.New("bench run: no size")
	}
	if s.Progress == nil {
		s.Progress = io.Discard
	}
	sizes := slices.Clone(s.Sizes)
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return fmt.Errorf("bench run: %w", err)
	}
	var reports []*Report
	for _, n := range sizes {
		r, err := s.size(ctx, n)
		if err != nil {
			return fmt.Errorf("bench run: %d sockets: %w", n, err)
		}
		reports = append(reports, r)
	}
	if err := s.publish(reports); err != nil {
		return fmt.Errorf("bench run: %w", err)
	}
	return nil
}

// size returns the report of a size, which is made only if it is not there.
func (s *Sizes) size(ctx context.Context, n int) (*Report, error) {
	file := s.file("%d.json", n)
	if !s.Force {
		r, err := ReadReport(file)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err == nil:
			err = s.check(r, n)
			fallthrough
		default:
			if err != nil {
				return nil, fmt.Errorf("%w (--force makes it anew)", err)
			}
			fmt.Fprintf(s.Progress, "bench: %s is there\n", file)
			return r, nil
		}
	}
	fmt.Fprintf(s.Progress, "bench: %d sockets, shape %s\n", n, s.Shape)
	if err := s.Compare(ctx, n, file); err != nil {
		return nil, err
	}
	r, err := ReadReport(file)
	if err != nil {
		return nil, err
	}
	return r, s.check(r, n)
}

// check tells whether a report is the one that is wanted.
func (s *Sizes) check(r *Report, n int) error {
	file := s.file("%d.json", n)
	if r.Lab == nil || r.Lab.Sockets != n || r.Lab.Shape != s.Shape {
		return fmt.Errorf("%s is not from a lab of %d sockets and the shape %s", file, n, s.Shape)
	}
	for _, q := range s.Questions {
		if r.comparison(q.Name) == nil {
			return fmt.Errorf("%s has no answer to %s", file, q.Name)
		}
	}
	return nil
}

// publish writes what is made of all reports.
func (s *Sizes) publish(reports []*Report) error {
	last := reports[len(reports)-1]
	for i := range last.Comparisons {
		q := last.Comparisons[i].Question
		if err := s.write(s.file("%s.svg", q), growth(reports, q).SVG()); err != nil {
			return err
		}
	}
	err := WriteFile(s.file("%d.svg", last.Lab.Sockets), last.WriteSVG)
	if err != nil {
		return err
	}
	page := markdown(reports, func(q string) string { return filepath.Base(s.file("%s.svg", q)) })
	return s.write(s.file("results.md"), page)
}

func (s *Sizes) file(format string, args ...any) string {
	return filepath.Join(s.Dir, s.Shape+"-"+fmt.Sprintf(format, args...))
}

func (s *Sizes) write(file, text string) error {
	return WriteFile(file, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// WriteFile writes a file that is there as a whole or not at all.
func WriteFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
