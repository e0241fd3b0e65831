using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KawaOrleans.Server.Segments;

/// <summary>Brings together what a new writer has to remember: from the writer before it, or read back from as many segments as it spans.</summary>
internal sealed partial class RecentEvents(
    LocalNode node, NodesClient nodes, NodeHost host, IOptions<KawaEventStoreOptions> options, ILogger<RecentEvents> logger)
{
    // Four answers of this size in a row still are answered in time by a node that reads from disk.
    private const int EventsPerCall = 100_000;

    /// <summary>The memory for a writer of a segment, up to the segment's tail. A part that cannot be had, because its node is away or its
    /// frames do not verify, ends it: it then reaches less far back, and says so by its start.</summary>
    public async Task<WriterMemory> Of(Segment segment, Chain chain)
    {
        var (first, end) = (segment.Header.BasePosition, segment.Tail.Position);
        if (Before(segment, chain) is { } before && node.Find(before.Id)?.TakeMemory() is { } memory)
        {
            memory.ForgetFrom(first);
            if (memory.End == first)
            {
                memory.Add(await Task.Run(() => segment.Remember(first, end)));
                return memory;
            }
        }

        return await ReadBack(segment, chain, end);
    }

    private static ChainSegment? Before(Segment segment, Chain chain) =>
        chain.Segments.LastOrDefault(listed => listed.Base < segment.Header.BasePosition);

    private async Task<WriterMemory> ReadBack(Segment segment, Chain chain, long end)
    {
        var most = options.Value.RememberedEvents;
        var stretches = new Stack<byte[]>();
        var start = end;
        foreach (var listed in chain.Segments.Where(listed => listed.Base <= segment.Header.BasePosition).Reverse())
        {
            var from = Math.Max(listed.Base, end - most);
            while (start > from && await Stretch(listed, Math.Max(from, start - EventsPerCall), start) is { } stretch)
            {
                stretches.Push(stretch);
                start -= stretch.Length / WriterMemory.EventBytes;
            }

            if (start > from)
            {
                break;
            }
        }

        var memory = new WriterMemory(most, start);
        foreach (var stretch in stretches)
        {
            memory.Add(stretch);
        }

        LogReadBack(chain.LogName, memory.Start, memory.End);
        return memory;
    }

    /// <summary>The events of [from, to), all of them, or null.</summary>
    private async Task<byte[]?> Stretch(ChainSegment listed, long from, long to)
    {
        var reason = "";
        foreach (var holder in listed.Ensemble.OrderBy(holder => holder.Name != host.Name).ThenBy(holder => nodes.IsSilent(holder.Name)))
        {
            var answer = holder.Name == host.Name
                ? await Task.Run(() => Here(listed, from, to))
                : await nodes.Remember(holder.Name, listed.Id, listed.Generation, from, to, CancellationToken.None);
            if (answer.Value is { } stretch && stretch.Length == (to - from) * WriterMemory.EventBytes)
            {
                return stretch;
            }

            reason = answer.Unknown ?? "it has fewer events";
        }

        LogNotRemembered(listed.Id, from, to, reason);
        return null;
    }

    private NodeAnswer<byte[]> Here(ChainSegment listed, long from, long to)
    {
        try
        {
            return new NodeAnswer<byte[]>(node.Remember(listed.Id, listed.Generation, from, to), null);
        }
        catch (StorageException e)
        {
            return new NodeAnswer<byte[]>(null, e.Message);
        }
    }

    [LoggerMessage(1221, LogLevel.Information, "The writer of log {Log} remembers the events from {Start} up to {End}")]
    private partial void LogReadBack(string log, long start, long end);

    [LoggerMessage(1222, LogLevel.Warning, "Events {From} to {To} of segment {Segment} cannot be read back ({Reason}): retries that go back so far are told so")]
    private partial void LogNotRemembered(Guid segment, long from, long to, string reason);
}
