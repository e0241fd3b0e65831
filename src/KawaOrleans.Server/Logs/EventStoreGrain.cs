using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace KawaOrleans.Server.Logs;

/// <summary>The store as a whole. Keeps nothing, so it runs wherever it is asked.</summary>
[StatelessWorker, Reentrant, GrainType("kawa.event-store")]
internal sealed partial class EventStoreGrain(ChainChanger changer, NodeRecordRebuild nodeRecords, NodeReplacement replacement, NodesClient nodes, ILogger<EventStoreGrain> logger) : Grain, IEventStoreGrain
{
    public async Task<IReadOnlyList<LogSummary>> ListLogs(CancellationToken cancellation = default) =>
        await Task.Run(() => changer.ListLogs(cancellation), cancellation);

    public async Task<IReadOnlyList<NodeDescription>> DescribeNodes(CancellationToken cancellation = default)
    {
        var names = nodes.Live;
        var answers = await Task.WhenAll(names.Select(name => nodes.Describe(name, cancellation)));
        return [.. names.Zip(answers, (name, answer) => answer.Value ?? new NodeDescription
        {
            Name = name, Id = Guid.Empty, Segments = 0, FreeBytes = 0, Problems = [answer.Unknown ?? "it answers nothing"],
        })];
    }

    public async Task<IReadOnlyList<LogSummary>> Rebuild(IReadOnlyList<string> givenUpNodes, CancellationToken cancellation = default)
    {
        var rebuilt = await Task.Run(() => changer.RebuildAll(givenUpNodes ?? [], cancellation), cancellation);
        await Task.Run(() => nodeRecords.Restore(cancellation), cancellation);
        LogRebuilt(rebuilt.Logs.Count, string.Join("; ", rebuilt.Logs.SelectMany(log => log.Losses)), string.Join("; ", rebuilt.Refusals));
        if (rebuilt.Refusals.Count > 0)
        {
            throw new ChainStoreException(
                ChainStoreProblem.CannotRebuild,
                $"{rebuilt.Logs.Count} logs have a chain again, {rebuilt.Refusals.Count} do not: {string.Join("; ", rebuilt.Refusals)}");
        }

        return [.. rebuilt.Logs.Select(log => new LogSummary(log.Chain.LogName, log.Chain.LogId))];
    }

    public async Task ReplaceNode(string node, CancellationToken cancellation = default)
    {
        await Task.Run(() => replacement.GiveUp(node, cancellation), cancellation);
        LogGivenUp(node);
    }

    [LoggerMessage(1312, LogLevel.Warning, "The data directory of node {Node} was given up for ever")]
    private partial void LogGivenUp(string node);

    [LoggerMessage(1311, LogLevel.Warning, "The catalogue was written anew: {Logs} logs. Given up: {Losses}. Refused: {Refusals}")]
    private partial void LogRebuilt(int logs, string losses, string refusals);
}
