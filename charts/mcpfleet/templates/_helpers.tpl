{{/* Name of the release's objects in its own namespace. */}}
{{- define "mcpfleet.name" -}}
{{- $release := ternary .Release.Name (printf "%s-mcpfleet" .Release.Name) (contains "mcpfleet" .Release.Name) -}}
{{- printf "%s-operator" ($release | trunc 40 | trimSuffix "-") -}}
{{- end }}

{{/* First part of the names of cluster-scoped objects. With scope Namespace there may be a release in each of
     several namespaces. */}}
{{- define "mcpfleet.clusterName" -}}
{{- $release := trimSuffix "-operator" (include "mcpfleet.name" .) -}}
{{- ternary $release (printf "%s-%s" .Release.Namespace $release) (eq .Values.rbac.scope "Cluster") -}}
{{- end }}

{{/* The name is fixed: a Deployment's selector cannot be changed. */}}
{{- define "mcpfleet.selectorLabels" -}}
app.kubernetes.io/name: mcpfleet-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "mcpfleet.labels" -}}
{{ include "mcpfleet.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: mcpfleet
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- with .Values.extraLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* In: {image, root}. */}}
{{- define "mcpfleet.image" -}}
{{- $image := .image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Namespaces of scope Namespace, as a JSON list. */}}
{{- define "mcpfleet.watchNamespaces" -}}
{{- .Values.watchNamespaces | default (list .Release.Namespace) | toJson -}}
{{- end }}
