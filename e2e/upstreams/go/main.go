// An MCP server built on the official Go SDK, as users build them: an upstream that is not ours.
//
//	gosdk -http 127.0.0.1:PORT    over Streamable HTTP, at /mcp
//	gosdk                         on standard input and output
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type echoArguments struct {
	Message string `json:"message" jsonschema:"what to say again"`
}

type countArguments struct {
	N int `json:"n" jsonschema:"how far to count"`
}

type slowArguments struct {
	Ms int `json:"ms" jsonschema:"how long to take, in milliseconds"`
}

type nameArguments struct {
	Name string `json:"name" jsonschema:"name of the tool"`
}

func text(format string, values ...any) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf(format, values...)}}}
}

func echo(_ context.Context, _ *mcp.CallToolRequest, in echoArguments) (*mcp.CallToolResult, any, error) {
	return text("Echo: %s", in.Message), nil, nil
}

func count(ctx context.Context, request *mcp.CallToolRequest, in countArguments) (*mcp.CallToolResult, any, error) {
	token := request.Params.GetProgressToken()
	for step := 1; step <= in.N && token != nil; step++ {
		progress := &mcp.ProgressNotificationParams{ProgressToken: token, Progress: float64(step), Total: float64(in.N)}
		if err := request.Session.NotifyProgress(ctx, progress); err != nil {
			return nil, nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return text("Counted to %d", in.N), nil, nil
}

func slow(ctx context.Context, _ *mcp.CallToolRequest, in slowArguments) (*mcp.CallToolResult, any, error) {
	select {
	case <-time.After(time.Duration(in.Ms) * time.Millisecond):
		return text("Slept %d ms", in.Ms), nil, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func newServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "gosdk-for-tests", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "echo", Description: "Says it again."}, echo)
	mcp.AddTool(server, &mcp.Tool{Name: "count", Description: "Reports progress n times."}, count)
	mcp.AddTool(server, &mcp.Tool{Name: "slow", Description: "Takes its time, unless it is cancelled."}, slow)
	mcp.AddTool(server, &mcp.Tool{Name: "add_tool", Description: "Adds a tool of this name."},
		func(_ context.Context, _ *mcp.CallToolRequest, in nameArguments) (*mcp.CallToolResult, any, error) {
			mcp.AddTool(server, &mcp.Tool{Name: in.Name, Description: "Was added."}, echo)
			return text("Added %s", in.Name), nil, nil
		})
	return server
}

func main() {
	address := flag.String("http", "", "address to listen on; standard input and output if not given")
	flag.Parse()
	server := newServer()
	if *address == "" {
		if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
			log.Fatal(err)
		}
		return
	}
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	http.Handle("/mcp", handler)
	log.Fatal(http.ListenAndServe(*address, nil))
}
