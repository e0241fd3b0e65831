using System.Collections.Concurrent;

namespace KawaOrleans.Server.Healing;

/// <summary>Segments that other nodes asked this one to take a replica of. Memory only: whoever asked asks again.</summary>
internal sealed class Invitations
{
    private readonly ConcurrentDictionary<Guid, Chain> _open = new();

    /// <summary>Called when one comes.</summary>
    public Action Added { get; set; } = static () => { };

    public IReadOnlyList<(Chain Chain, Guid SegmentId)> All => [.. _open.Select(open => (open.Value, open.Key))];

    public bool Add(Chain chain, Guid segmentId)
    {
        _open[segmentId] = chain;
        Added();
        return true;
    }

    public void Done(Guid segmentId) => _open.TryRemove(segmentId, out _);
}
