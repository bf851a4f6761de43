//go:build tools

// Package tools keeps the program built here among the module's requirements.
package tools

import _ "helm.sh/helm/v4/cmd/helm"
