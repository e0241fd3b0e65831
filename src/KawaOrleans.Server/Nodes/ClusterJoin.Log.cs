using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Nodes;

internal sealed partial class ClusterJoin
{
    [LoggerMessage(1401, LogLevel.Information, "Node {Node} joined the cluster {Cookie}")]
    private partial void LogJoined(string node, Guid cookie);

    [LoggerMessage(1402, LogLevel.Error, "Node {Node} has not joined the cluster and takes no new segments; what it holds is served. Chain store {Problem}: {Reason}")]
    private partial void LogNotJoined(string node, ChainStoreProblem problem, string reason);

    [LoggerMessage(1403, LogLevel.Warning, "This node holds files of log {Log} ({LogId}), of which the chain store has no chain; they are kept")]
    private partial void LogStranger(string log, Guid logId);

    [LoggerMessage(1404, LogLevel.Error, "The chain store has version {Stored} of log {Log}, this node was told version {Saved}: the store went back in time")]
    private partial void LogRolledBack(string log, long stored, long saved);

    [LoggerMessage(1405, LogLevel.Error, "Version {Version} of the chain of log {Log} could not be followed: {Reason}")]
    private partial void LogNotFollowed(string log, long version, string reason);

    [LoggerMessage(1406, LogLevel.Error, "Node {Node} does not take part: {Reason}")]
    private partial void LogRefused(string node, string reason);
}
