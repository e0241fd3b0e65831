using System.Collections.Concurrent;

namespace KawaOrleans.Client;

/// <summary>References to segment grains. To make one, Orleans looks up the interface's name among the attributes of its type, each time: a tenth
/// of all the client does for a small append. So those made are kept.</summary>
internal sealed class SegmentReferences(IGrainFactory factory)
{
    /// <summary>Then all are forgotten; those in use are made anew.</summary>
    private const int Most = 4096;

    private readonly ConcurrentDictionary<(Guid SegmentId, string Node), ISegmentGrain> _made = new();

    public ISegmentGrain Of(Guid segmentId, string node)
    {
        if (_made.TryGetValue((segmentId, node), out var made))
        {
            return made;
        }

        if (_made.Count >= Most)
        {
            _made.Clear();
        }

        return _made.GetOrAdd((segmentId, node), static (key, grains) => grains.GetGrain<ISegmentGrain>(key.SegmentId, key.Node, null), factory);
    }
}
