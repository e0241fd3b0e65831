namespace KawaOrleans.Server.Protocol;

/// <summary>How a chain begins, how it goes on, and what is true of every one.</summary>
internal static class ChainRules
{
    /// <summary>The chain of a log that has no segment yet.</summary>
    public static Chain New(Guid logId, string logName, LogOptions options) => new()
    {
        LogId = logId, LogName = logName, Version = 1, Options = options, Segments = [], Epoch = 0,
    };

    /// <summary>The position behind the last sealed segment, where the next one begins; null while the last is open.</summary>
    public static long? End(Chain chain) => chain.Segments.Count == 0 ? 0 : chain.Segments[^1].End;

    /// <summary>The chain with its last segment ended and another one open behind it. A segment that ends empty leaves the chain.</summary>
    /// <param name="chain">The chain as it is.</param>
    /// <param name="end">Where the open segment ends; the chain's own end when none is open.</param>
    /// <param name="next">The segment to open: based at the end, one epoch higher.</param>
    public static Chain Rolled(Chain chain, long end, ChainSegment next) => Checked(chain with
    {
        Version = chain.Version + 1,
        Segments = [.. Ended(chain, end), next],
        Epoch = next.Epoch,
    });

    /// <summary>The chain with its last segment ended and none open: of a log whose next segment has too few nodes now.</summary>
    public static Chain Closed(Chain chain, long end) => Checked(chain with { Version = chain.Version + 1, Segments = Ended(chain, end) });

    /// <summary>The chain with other nodes for a segment that has ended. Of an open one the ensemble never changes: its quorums rest on it.</summary>
    public static Chain Moved(Chain chain, Guid segmentId, IReadOnlyList<ChainNode> ensemble) => Checked(chain with
    {
        Version = chain.Version + 1,
        Segments = [.. chain.Segments.Select(segment => segment.Id != segmentId ? segment
            : segment.IsOpen ? throw new InvalidOperationException($"Segment {segmentId:N} is open: its ensemble never changes.")
            : segment with { Ensemble = ensemble })],
    });

    /// <summary>The segments with the open one sealed at its end, or gone if it ends empty.</summary>
    public static IReadOnlyList<ChainSegment> Ended(Chain chain, long end)
    {
        if (chain.WriteSegment is not { } open)
        {
            return chain.Segments;
        }

        var before = chain.Segments.SkipLast(1);
        return end == open.Base ? [.. before] : [.. before, open with { End = end }];
    }

    /// <summary>The first rule that the chain breaks, or null when it is sound.</summary>
    public static string? Validate(Chain chain)
    {
        if (chain.LogId == Guid.Empty || Names.WhyNotKey(chain.LogName) is not null)
        {
            return $"its log has no id or no name: {chain.LogId:N}, '{chain.LogName}'";
        }

        if (chain.Version < 1 || chain.Epoch < 0)
        {
            return $"version {chain.Version} and epoch {chain.Epoch} never were";
        }

        var ids = new HashSet<Guid>();
        ChainSegment? previous = null;
        foreach (var segment in chain.Segments)
        {
            if (WhyNot(segment) is { } reason)
            {
                return $"segment {segment.Id:N}: {reason}";
            }

            if (!ids.Add(segment.Id))
            {
                return $"segment {segment.Id:N} is listed twice";
            }

            if (segment.Epoch > chain.Epoch)
            {
                return $"segment {segment.Id:N} has epoch {segment.Epoch}, the chain only {chain.Epoch}";
            }

            if (previous is not null && WhyNotAfter(previous, segment) is { } breach)
            {
                return breach;
            }

            previous = segment;
        }

        return null;
    }

    /// <summary>Whether two chains say the same of their segments.</summary>
    public static bool Agree(Chain one, Chain other) =>
        one.LogId == other.LogId && one.Version == other.Version && one.Epoch == other.Epoch
        && one.Segments.Count == other.Segments.Count && one.Segments.Zip(other.Segments).All(pair => Agree(pair.First, pair.Second));

    /// <summary>The chain, which our own rules made and which therefore is sound.</summary>
    internal static Chain Checked(Chain chain) => Validate(chain) is { } reason
        ? throw new InvalidOperationException($"Chain of log '{chain.LogName}', version {chain.Version}, was made unsound: {reason}.")
        : chain;

    private static bool Agree(ChainSegment one, ChainSegment other) =>
        (one.Id, one.Generation, one.Epoch, one.Base, one.End) == (other.Id, other.Generation, other.Epoch, other.Base, other.End)
        && one.Ensemble.SequenceEqual(other.Ensemble);

    private static string? WhyNot(ChainSegment segment)
    {
        if (segment.Id == Guid.Empty || segment.Generation < 0 || segment.Epoch < 1 || segment.FileBytes < 1)
        {
            return $"id, generation {segment.Generation}, epoch {segment.Epoch} or size {segment.FileBytes} never were";
        }

        if (segment.Base < 0 || segment.End <= segment.Base)
        {
            return $"[{segment.Base}, {segment.End}) is no range of positions, or an empty one";
        }

        var nodes = segment.Ensemble.Count;
        if (nodes == 0 || segment.AckQuorum < 1 || segment.AckQuorum > nodes)
        {
            return $"{segment.AckQuorum} of {nodes} nodes is no quorum";
        }

        return segment.Ensemble.Select(node => node.Name).Distinct(StringComparer.Ordinal).Count() == nodes
            && segment.Ensemble.Select(node => node.Id).Distinct().Count() == nodes
            ? null
            : "a node is in its ensemble twice";
    }

    private static string? WhyNotAfter(ChainSegment previous, ChainSegment segment)
    {
        if (previous.End is not { } end)
        {
            return $"segment {previous.Id:N} is open and not the last";
        }

        if (segment.Base != end)
        {
            return $"segment {segment.Id:N} begins at {segment.Base}, the one before it ends at {end}";
        }

        return segment.Epoch > previous.Epoch
            ? null
            : $"segment {segment.Id:N} has epoch {segment.Epoch}, the one before it {previous.Epoch}";
    }
}
