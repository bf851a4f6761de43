{{/*
The part that the three policies share. In: {root, kind, resource, slots, variables, validations}, where
`variables` defines `added`: names of the Secrets that the object now uses in a way that it did not before.

An expression may check the authorizer twice at most and a policy 28 times (a check costs 350,000 of the
1,000,000 units of an expression and of the 10,000,000 of a policy), and CEL has no loop that outlives an
expression. So each of the first names has a validation of its own, which also lets the message name the one
that is refused; who adds more at once needs the right to get all Secrets of the namespace.

CREATE and UPDATE of the objects only: subresources (status, scale) are other resources and not matched.
*/}}
{{- define "mcpfleet.secretAccessPolicy" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ include "mcpfleet.clusterName" .root }}-secret-access-{{ .resource }}
  labels: {{- include "mcpfleet.labels" .root | nindent 4 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - apiGroups: [mcpfleet.dev]
      apiVersions: ["*"]
      operations: [CREATE, UPDATE]
      resources: [{{ .resource }}]
  variables:
  {{- .variables | trim | nindent 2 }}
  - name: rest0
    expression: variables.added
  {{- range $i := until (int .slots) }}
  - name: secret{{ $i }}
    expression: "variables.rest{{ $i }}.size() == 0 ? '' : variables.rest{{ $i }}[0]"
  - name: rest{{ add1 $i }}
    expression: variables.rest{{ $i }}.filter(n, n != variables.secret{{ $i }})
  {{- end }}
  validations:
  {{- with .validations }}
  {{- . | trim | nindent 2 }}
  {{- end }}
  {{- range $i := until (int .slots) }}
  - expression: >-
      variables.secret{{ $i }} == '' || authorizer.group('').resource('secrets').namespace(request.namespace)
      .name(variables.secret{{ $i }}).check('get').allowed()
    reason: Forbidden
    messageExpression: >-
      'you may not use Secret "' + variables.secret{{ $i }} + '" in this {{ $.kind }}, because you may not read it: ask for a
      Role in namespace "' + request.namespace + '" that allows get on secrets with resourceNames ["' +
      variables.secret{{ $i }} + '"], or have somebody who holds that right make this change'
  {{- end }}
  - expression: >-
      variables.rest{{ .slots }}.size() == 0 ||
      authorizer.group('').resource('secrets').namespace(request.namespace).check('get').allowed()
    reason: Forbidden
    messageExpression: >-
      'this change uses more than {{ .slots }} Secrets that were not used like that before: make it in several
      steps, or have somebody make it who may get all Secrets of namespace "' + request.namespace + '"'
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ include "mcpfleet.clusterName" .root }}-secret-access-{{ .resource }}
  labels: {{- include "mcpfleet.labels" .root | nindent 4 }}
spec:
  policyName: {{ include "mcpfleet.clusterName" .root }}-secret-access-{{ .resource }}
  validationActions: [Deny, Audit]
  {{- if eq .root.Values.rbac.scope "Namespace" }}
  # Elsewhere no operator of this release acts on what is written.
  matchResources:
    namespaceSelector:
      matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: In
        values: {{ include "mcpfleet.watchNamespaces" .root }}
  {{- end }}
{{- end }}
