using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Segments;

/// <summary>Brings to this node the heads of streams before a segment that it is about to write. They are here unless the log was written elsewhere
/// before; then they are on the nodes that hold the segments before, of which any one will do.</summary>
internal sealed partial class HeadsBefore(LocalNode node, NodesClient nodes, NodeHost host, ILogger<HeadsBefore> logger)
{
    // Small enough that one does not hold up what else the connection carries.
    private const int PartBytes = 1024 * 1024;

    /// <summary>Null once they are here; else why they could not be had.</summary>
    public async Task<string?> Fetch(Segment segment, Chain chain)
    {
        if (await Task.Run(() => node.HasHeadsBefore(segment.Header)))
        {
            return null;
        }

        // Whoever holds an earlier segment has the heads up to its end; what lies between may be here. Each node once, for the newest it holds.
        var reasons = new List<string>();
        var asked = new HashSet<string>(StringComparer.Ordinal) { host.Name };
        foreach (var before in chain.Segments.Where(listed => listed.Base < segment.Header.BasePosition).Reverse())
        {
            foreach (var holder in before.Ensemble.OrderBy(holder => nodes.IsSilent(holder.Name)).Where(holder => asked.Add(holder.Name)))
            {
                if (await FetchFrom(holder.Name, segment, chain, before) is not { } reason)
                {
                    return null;
                }

                reasons.Add(reason);
            }
        }

        return $"node '{host.Name}' does not hold the heads of streams of log '{chain.LogName}' before position {segment.Header.BasePosition}"
            + string.Concat(reasons.Select(static reason => $"; {reason}"));
    }

    private async Task<string?> FetchFrom(string holder, Segment segment, Chain chain, ChainSegment before)
    {
        var runs = await nodes.HeadRuns(holder, chain.LogId, before.Id, CancellationToken.None);
        foreach (var run in runs.Value ?? [])
        {
            if (await Copy(holder, chain.LogId, run) is { } reason)
            {
                return reason;
            }
        }

        if (runs.Unknown is null && await Task.Run(() => node.HasHeadsBefore(segment.Header)))
        {
            LogFetched(chain.LogName, segment.Header.BasePosition, holder);
            return null;
        }

        return $"node '{holder}' does not give them: {runs.Unknown ?? "those it has end elsewhere"}";
    }

    private async Task<string?> Copy(string from, Guid logId, HeadRunPart run)
    {
        try
        {
            using var copy = await Task.Run(() => node.ReceiveHeads(logId, run.From, run.To, run.Bytes));
            if (copy is null)
            {
                return null; // it is here already
            }

            for (var offset = 0L; offset < run.Bytes;)
            {
                var part = await nodes.ReadHeads(from, logId, run.From, run.To, offset, (int)Math.Min(PartBytes, run.Bytes - offset), CancellationToken.None);
                if (part.Value is not { Length: > 0 } bytes)
                {
                    return part.Unknown ?? $"node '{from}' sent a part of a run of heads without bytes";
                }

                var at = offset;
                await Task.Run(() => copy.Write(at, bytes));
                offset += bytes.Length;
            }

            await Task.Run(copy.Complete);
            return null;
        }
        catch (StorageException e)
        {
            return e.Message;
        }
    }

    [LoggerMessage(1223, LogLevel.Information, "The heads of streams of log {Log} before position {Position} came from node {Node}")]
    private partial void LogFetched(string log, long position, string node);
}
