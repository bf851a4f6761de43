module mcpfleet.dev/e2e/cluster/image

go 1.26
