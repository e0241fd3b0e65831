using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Nodes;

internal sealed partial class NodeHost
{
    [LoggerMessage(1001, LogLevel.Information, "Node {Node} ({NodeId}) opened {Directory}: {Segments} segments, {Untrusted} files it cannot trust")]
    private partial void LogOpened(string node, Guid nodeId, string directory, int segments, int untrusted);

    [LoggerMessage(1002, LogLevel.Error, "Not trusted, left as it is: {Path}: {Problem}")]
    private partial void LogUntrusted(string path, string problem);

    [LoggerMessage(1003, LogLevel.Information, "Node {Node} closed its data directory")]
    private partial void LogClosed(string node);
}
