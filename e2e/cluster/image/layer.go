package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"
)

// file is one entry of the layer.
type file struct {
	from string // on this machine; "dir" and "-> TARGET" stand for themselves
	to   string // absolute, in the image
	mode fs.FileMode
}

const linkPrefix = "-> "

// parseFile reads FILE:/PATH[:MODE]. The first ":/" separates, so FILE may itself hold a colon.
func parseFile(arg string) (file, error) {
	from, rest, ok := strings.Cut(arg, ":/")
	if !ok || from == "" {
		return file{}, fmt.Errorf("%q is not FILE:/PATH[:MODE]", arg)
	}
	f := file{from: from, mode: 0o755}
	to, mode, hasMode := strings.Cut("/"+rest, ":")
	if hasMode {
		m, err := strconv.ParseUint(mode, 8, 12)
		if err != nil {
			return file{}, fmt.Errorf("%q: mode %q is not octal", arg, mode)
		}
		f.mode = fs.FileMode(m)
	}
	f.to = path.Clean(to)
	return f, nil
}

// layer is the uncompressed tar of the files and of the directories above them.
func layer(files []file) ([]byte, error) {
	files = withParents(files)
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		if err := f.writeTo(w); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// withParents sorts by path, adds the directories that are implied, and lets the last of two
// entries for one path win.
func withParents(files []file) []file {
	byPath := map[string]file{}
	for _, f := range files {
		for dir := path.Dir(f.to); dir != "/"; dir = path.Dir(dir) {
			if _, ok := byPath[dir]; !ok {
				byPath[dir] = file{from: "dir", to: dir, mode: 0o755}
			}
		}
		byPath[f.to] = f
	}
	all := make([]file, 0, len(byPath))
	for _, f := range byPath {
		all = append(all, f)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].to < all[j].to })
	return all
}

func (f file) writeTo(w *tar.Writer) error {
	header := &tar.Header{
		Name:    strings.TrimPrefix(f.to, "/"),
		Mode:    int64(f.mode),
		ModTime: time.Unix(0, 0).UTC(),
		Format:  tar.FormatPAX,
	}
	switch {
	case f.from == "dir":
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		return w.WriteHeader(header)
	case strings.HasPrefix(f.from, linkPrefix):
		header.Typeflag, header.Linkname = tar.TypeSymlink, strings.TrimPrefix(f.from, linkPrefix)
		return w.WriteHeader(header)
	}
	return copyFile(w, header, f.from)
}

func copyFile(w *tar.Writer, header *tar.Header, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", from)
	}
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}
