using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using KawaOrleans.Tests.History;
using static KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation.SimulatedNodes;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>One log as its callers know it, and what they did and were told.</summary>
internal sealed class SimulatedLog(string name, Guid id)
{
    private const int Remembered = 4;

    private readonly List<Chain> _seen = [];
    private readonly Dictionary<string, long> _revisions = new(StringComparer.Ordinal);

    public string Name => name;

    public Guid Id => id;

    public History History { get; } = new();

    public List<CallersBatch> Batches { get; } = [];

    /// <summary>Chains that callers saw, the newest few; they use any of them.</summary>
    public IReadOnlyList<Chain> Seen => _seen;

    /// <summary>A position that the log has reached: someone was told of the event before it.</summary>
    public long Reached { get; private set; }

    public void Saw(Chain chain)
    {
        _seen.Add(chain);
        _seen.RemoveRange(0, Math.Max(0, _seen.Count - Remembered));
    }

    /// <summary>Only the newest chain is used from now on.</summary>
    public void ForgetAllButTheNewest() => _seen.RemoveRange(0, _seen.Count - 1);

    public void Saw(IReadOnlyList<RecordedEvent> events)
    {
        foreach (var e in events)
        {
            Saw(e.Stream, e.Revision);
        }

        Saw(events[^1].Position + 1);
    }

    public void Saw(long position) => Reached = Math.Max(Reached, position);

    public void Saw(string stream, long revision) => _revisions[stream] = Math.Max(RevisionOf(stream), revision);

    /// <summary>The last revision of a stream that callers know of; −1: none.</summary>
    public long RevisionOf(string stream) => _revisions.GetValueOrDefault(stream, -1);

    /// <summary>Holds the log, as the nodes have it in the end, against what was promised; the first promise that was broken, or null.</summary>
    public string? WhatBroke(Chain chain, IReadOnlyList<SimulatedNode> nodes)
    {
        var log = new List<FinalEvent>();
        var time = 0L;
        foreach (var segment in chain.Segments.Where(segment => !segment.IsOpen))
        {
            if (Whole(segment, nodes) is not { } events)
            {
                return $"P11: segment {Short(segment.Id)} [{segment.Base}, {segment.End}) of {name} is on no node";
            }

            foreach (var e in events)
            {
                if (e.Recorded.UtcTicks < time)
                {
                    return $"P7: the time of {e.Position} of {name} lies before the one before it";
                }

                time = e.Recorded.UtcTicks;
                log.Add(FinalEvent.Of(e));
            }
        }

        return HistoryCheck.Find(History, log).Select(violation => $"{violation} ({name})").FirstOrDefault() ?? Revisions(log);
    }

    /// <summary>The events of a sealed segment from the first replica that has all of them.</summary>
    private static IReadOnlyList<RecordedEvent>? Whole(ChainSegment segment, IReadOnlyList<SimulatedNode> nodes)
    {
        foreach (var node in nodes.Where(node => segment.Ensemble.Contains(node.Node)
            && node.Segments.TryGetValue(segment.Id, out var replica) && replica.State == SegmentState.Sealed))
        {
            try
            {
                return node.Read(segment.Id, segment.Base, long.MaxValue - segment.Base);
            }
            catch (SegmentDamagedException)
            {
                // It rotted: the next one.
            }
        }

        return null;
    }

    private string? Revisions(List<FinalEvent> log) => Batches
        .Where(batch => batch.ToldRevisions is not null)
        .SelectMany(batch => batch.Expected!.All.Zip(batch.ToldRevisions!), (batch, told) => (batch, told.First.Stream, Revision: told.Second))
        .Where(told => told.Revision != log.Skip((int)told.batch.First!.Value).Take(told.batch.Events.Count).Where(e => e.Stream == told.Stream).Select(e => e.Revision).LastOrDefault(-1))
        .Select(told => $"RevisionMismatch: the batch at {told.batch.First} was told revision {told.Revision} of '{told.Stream}' ({name})")
        .FirstOrDefault();
}
