# Short names for what README and .ci/run do; each is one command, for machines without make too.

build: # a static binary, ./betalasso; without CGO_ENABLED=0 Go links libc where gcc is present
	CGO_ENABLED=0 go build -trimpath ./cmd/betalasso

test:
	go test ./...

release: # dist/: archives for five systems, each with all that a machine without Go needs, and SHA256SUMS
	go run ./cmd/release -out dist

ci:
	.ci/run

.PHONY: build test release ci
