{{/* All objects have one name: `mirrorfs` looks for it, in the namespace that it is told. */}}
{{- define "mirrorfs-agent.name" -}}mirrorfs-agent{{- end }}

{{- define "mirrorfs-agent.selector" -}}
app.kubernetes.io/name: mirrorfs-agent
app.kubernetes.io/instance: {{ .Release.Name }}
mirrorfs.io/mode: shared
{{- end }}

{{/* By which everything is found that this chart has made, its pods and those of `helm test` included. */}}
{{- define "mirrorfs-agent.partOf" -}}
app.kubernetes.io/part-of: mirrorfs
{{- end }}

{{- define "mirrorfs-agent.labels" -}}
{{ include "mirrorfs-agent.selector" . }}
{{ include "mirrorfs-agent.partOf" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "mirrorfs-agent.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "mirrorfs-agent.secret" -}}
{{ .Values.tls.existingSecret | default "mirrorfs-agent-tls" }}
{{- end }}

{{/* The rights of a container that reads, and changes, the files of others. docs/security.md has them in a table. */}}
{{- define "mirrorfs-agent.capabilities" -}}
- SYS_PTRACE
- DAC_READ_SEARCH
- SETUID
- SETGID
{{- if ne .Values.readWrite "never" }}
- DAC_OVERRIDE
- CHOWN
- FOWNER
- FSETID
- SETFCAP
{{- end }}
{{- end }}
