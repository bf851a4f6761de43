package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// build writes an image of one program and returns its bytes.
func build(t *testing.T, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "app")
	if err := os.WriteFile(program, []byte("program"), 0o700); err != nil {
		t.Fatal(err)
	}
	// A different time each run must not show in the image.
	if err := os.Chtimes(program, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.tar")
	base := []string{"-o", out, "-ref", "localhost/app:1", "-arch", "amd64", "-entrypoint", "/bin/app"}
	if err := run(append(append(base, args...), program+":/bin/app")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func entries(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(time.Unix(0, 0)) || h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s: time %s, owner %d:%d", h.Name, h.ModTime, h.Uid, h.Gid)
		}
		if found[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSameInputsGiveTheSameBytes(t *testing.T) {
	labels := []string{"-label", "b=2", "-label", "a=1"}
	if !bytes.Equal(build(t, labels...), build(t, "-label", "a=1", "-label", "b=2")) {
		t.Error("two builds differ")
	}
	if bytes.Equal(build(t, labels...), build(t)) {
		t.Error("a label makes no difference")
	}
}

func TestEveryDescriptorFindsItsBlob(t *testing.T) {
	files := entries(t, build(t))
	var idx index
	decode(t, files["index.json"], &idx)
	if got := idx.Manifests[0].Annotations["io.containerd.image.name"]; got != "localhost/app:1" {
		t.Errorf("containerd would name it %q", got)
	}
	var m manifest
	decode(t, follow(t, files, idx.Manifests[0]), &m)
	var config imageConfig
	decode(t, follow(t, files, m.Config), &config)
	data := follow(t, files, m.Layers[0])
	if config.RootFS.DiffIDs[0] != digest(data) {
		t.Error("the config's diff id is not the layer's digest")
	}
	if config.Config.User != "65532:65532" || config.Config.Entrypoint[0] != "/bin/app" {
		t.Errorf("config: %+v", config.Config)
	}
	if got := string(entries(t, data)["bin/app"]); got != "program" {
		t.Errorf("/bin/app holds %q", got)
	}
}

func TestLayerHoldsParentsLinksAndModes(t *testing.T) {
	from := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(from, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var files []file
	for _, arg := range []string{from + ":/a/b/c:0640", "-> c:/a/b/d", "dir:/tmp:1777"} {
		f, err := parseFile(arg)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	data, err := layer(files)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		got = append(got, strings.TrimSpace(h.Name+" "+h.Linkname+" "+h.FileInfo().Mode().String()))
	}
	want := "a/  drwxr-xr-x|a/b/  drwxr-xr-x|a/b/c  -rw-r-----|a/b/d c Lrwxr-xr-x|tmp/  dtrwxrwxrwx"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

func TestRefusalsNameTheArgument(t *testing.T) {
	for args, want := range map[string]string{
		"-ref a:1 f:/f":               "-o and -ref",
		"-o o -ref localhost/a f:/f":  "has no tag",
		"-o o -ref a:1":               "would be empty",
		"-o o -ref a:1 f":             "is not FILE:/PATH",
		"-o o -ref a:1 f:/f:99":       "is not octal",
		"-o o -ref a:1 -label x f:/f": "is not NAME=VALUE",
	} {
		if err := run(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("image %s: %v, want %q", args, err, want)
		}
	}
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func follow(t *testing.T, files map[string][]byte, d descriptor) []byte {
	t.Helper()
	data, ok := files["blobs/"+strings.Replace(d.Digest, ":", "/", 1)]
	if !ok || len(data) != d.Size || digest(data) != d.Digest {
		t.Fatalf("blob of %+v is missing or differs", d)
	}
	return data
}
