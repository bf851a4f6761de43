// Command image writes a container image as a tar file, without a container engine.
//
//	image -o out.tar -ref localhost/app:1 -entrypoint /app -user 65532:65532 build/app:/app
//
// The same inputs give the same bytes: times are zero, owners are root, entries are sorted. The file
// is an OCI layout that also carries the older manifest.json, so that containerd, skopeo, buildah
// and `docker load` all read it.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image: error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	spec, out, err := parse(args)
	if err != nil {
		return err
	}
	// Written beside and renamed, so that an interrupted run leaves no half image under the name.
	partial := out + ".partial"
	f, err := os.Create(partial)
	if err != nil {
		return err
	}
	defer os.Remove(partial)
	if err := write(f, spec); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(partial, out)
}

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func parse(args []string) (spec, string, error) {
	var s spec
	var entrypoint, cmd, env, labels list
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	out := flags.String("o", "", "file to write (required)")
	flags.StringVar(&s.ref, "ref", "", "name of the image, with a tag (required)")
	flags.StringVar(&s.user, "user", "65532:65532", "user:group the entrypoint runs as, numeric")
	flags.StringVar(&s.workdir, "workdir", "/", "working directory")
	flags.StringVar(&s.arch, "arch", hostArch(), "architecture of the binaries")
	flags.Var(&entrypoint, "entrypoint", "program to run; repeat for its fixed arguments")
	flags.Var(&cmd, "cmd", "default argument; repeat for more")
	flags.Var(&env, "env", "NAME=VALUE; repeat for more")
	flags.Var(&labels, "label", "NAME=VALUE; repeat for more")
	caBundle := flags.String("ca-bundle", "", "PEM file to install as the system's trusted certificates")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: image -o OUT.tar -ref NAME:TAG -entrypoint /PATH [options] FILE:/PATH ...\n\n"+
			"Each FILE:/PATH[:MODE] becomes a file of the image; MODE is octal, 0755 unless given.\n"+
			"A FILE of the form `-> TARGET` makes a symbolic link; `dir` as FILE an empty directory.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return s, "", err
	}
	s.entrypoint, s.cmd, s.env = entrypoint, cmd, env
	if *out == "" || s.ref == "" {
		return s, "", fmt.Errorf("-o and -ref are required")
	}
	if !strings.Contains(s.ref[strings.LastIndex(s.ref, "/")+1:], ":") {
		return s, "", fmt.Errorf("-ref %q has no tag: write %s:TAG, kubelets treat a missing tag as latest", s.ref, s.ref)
	}
	var err error
	if s.labels, err = pairs(labels); err != nil {
		return s, "", err
	}
	if *caBundle != "" {
		s.files = append(s.files, file{from: *caBundle, to: "/etc/ssl/certs/ca-certificates.crt", mode: 0o644})
	}
	for _, arg := range flags.Args() {
		f, err := parseFile(arg)
		if err != nil {
			return s, "", err
		}
		s.files = append(s.files, f)
	}
	if len(s.files) == 0 {
		return s, "", fmt.Errorf("no FILE:/PATH given: the image would be empty")
	}
	return s, *out, nil
}

func pairs(values []string) (map[string]string, error) {
	m := map[string]string{}
	for _, v := range values {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return nil, fmt.Errorf("-label %q is not NAME=VALUE", v)
		}
		m[name] = value
	}
	return m, nil
}
