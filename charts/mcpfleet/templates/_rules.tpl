{{/* What the operator may do where it works. No rule names Secrets: pods mount them, the operator never reads
     one of them. Server-side apply needs create and patch; update is never used but where said. */}}
{{- define "mcpfleet.rules" -}}
# What users write is read; only its status and, with autoscaling, its scale are written.
- apiGroups: [mcpfleet.dev]
  resources: [mcpservers, mcptools, providerroutes]
  verbs: [get, list, watch]
- apiGroups: [mcpfleet.dev]
  resources: [mcpservers/status, mcptools/status, providerroutes/status]
  verbs: [patch]
- apiGroups: [mcpfleet.dev]
  resources: [mcpservers/scale]
  verbs: [get, patch, update]
# Owner references that block deletion ask for this where OwnerReferencesPermissionEnforcement is on.
- apiGroups: [mcpfleet.dev]
  resources: [mcpservers/finalizers]
  verbs: [update]
# The objects that a server owns.
- apiGroups: [""]
  resources: [configmaps, serviceaccounts, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
# Which pods serve, where they are, and why one does not.
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
# What upstreams can refer to, where a cluster has these kinds: never written.
- apiGroups: [gateway.networking.k8s.io]
  resources: [referencegrants]
  verbs: [list, watch]
- apiGroups: [mcp.x-k8s.io]
  resources: [mcpservers]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
