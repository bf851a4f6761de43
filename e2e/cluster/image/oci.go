package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"
)

// spec is what the image is made from.
type spec struct {
	ref, user, workdir, arch string
	entrypoint, cmd, env     []string
	labels                   map[string]string
	files                    []file
}

func hostArch() string { return runtime.GOARCH }

// The JSON documents of the OCI image specification, reduced to the fields used here.
type (
	descriptor struct {
		MediaType   string            `json:"mediaType"`
		Digest      string            `json:"digest"`
		Size        int               `json:"size"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}
	manifest struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Config        descriptor   `json:"config"`
		Layers        []descriptor `json:"layers"`
	}
	index struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Manifests     []descriptor `json:"manifests"`
	}
	rootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	}
	runConfig struct {
		User       string            `json:"User,omitempty"`
		Env        []string          `json:"Env"`
		Entrypoint []string          `json:"Entrypoint,omitempty"`
		Cmd        []string          `json:"Cmd,omitempty"`
		WorkingDir string            `json:"WorkingDir,omitempty"`
		Labels     map[string]string `json:"Labels,omitempty"`
	}
	imageConfig struct {
		Created      string    `json:"created"`
		Architecture string    `json:"architecture"`
		OS           string    `json:"os"`
		Config       runConfig `json:"config"`
		RootFS       rootFS    `json:"rootfs"`
	}
	// dockerEntry is the element of manifest.json, the format of `docker save`.
	dockerEntry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
)

const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar"
)

// write puts the image on w. The layer is held in memory: images here are a few static binaries.
func write(w io.Writer, s spec) error {
	data, err := layer(s.files)
	if err != nil {
		return err
	}
	config, err := json.Marshal(s.config(digest(data)))
	if err != nil {
		return err
	}
	manifestJSON, err := json.Marshal(manifest{2, typeManifest, describe(typeConfig, config), []descriptor{describe(typeLayer, data)}})
	if err != nil {
		return err
	}
	indexJSON, err := json.Marshal(s.index(manifestJSON))
	if err != nil {
		return err
	}
	docker, err := json.Marshal([]dockerEntry{{blob(config), []string{s.ref}, []string{blob(data)}}})
	if err != nil {
		return err
	}
	return writeTar(w, []entry{
		{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{"index.json", indexJSON},
		{"manifest.json", docker},
		{blob(manifestJSON), manifestJSON},
		{blob(config), config},
		{blob(data), data},
	})
}

func (s spec) config(diffID string) imageConfig {
	env := append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, s.env...)
	return imageConfig{
		Created:      time.Unix(0, 0).UTC().Format(time.RFC3339),
		Architecture: s.arch,
		OS:           "linux",
		Config:       runConfig{s.user, env, s.entrypoint, s.cmd, s.workdir, s.labels},
		RootFS:       rootFS{"layers", []string{diffID}},
	}
}

// index names the image: containerd reads its own annotation, skopeo and buildah the OCI one.
func (s spec) index(manifestJSON []byte) index {
	d := describe(typeManifest, manifestJSON)
	d.Annotations = map[string]string{
		"io.containerd.image.name":          s.ref,
		"org.opencontainers.image.ref.name": s.ref,
	}
	return index{2, typeIndex, []descriptor{d}}
}

func digest(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }
func blob(b []byte) string   { return fmt.Sprintf("blobs/sha256/%x", sha256.Sum256(b)) }

func describe(mediaType string, b []byte) descriptor {
	return descriptor{MediaType: mediaType, Digest: digest(b), Size: len(b)}
}

type entry struct {
	name string
	data []byte
}

func writeTar(w io.Writer, entries []entry) error {
	t := tar.NewWriter(w)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.data)), ModTime: time.Unix(0, 0).UTC(), Typeflag: tar.TypeReg}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(e.data); err != nil {
			return err
		}
	}
	return t.Close()
}
