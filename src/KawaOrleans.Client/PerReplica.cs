using System.Collections.Concurrent;

namespace KawaOrleans.Client;

/// <summary>What is kept for each replica that is in use, made when it is first asked for.</summary>
/// <param name="make">Makes it, of a segment's id and a node's name.</param>
internal sealed class PerReplica<T>(Func<Guid, string, T> make)
{
    /// <summary>Then all are forgotten; those in use are made anew.</summary>
    private const int Most = 4096;

    private readonly ConcurrentDictionary<(Guid SegmentId, string Node), T> _made = new();

    public T Of(Guid segmentId, string node)
    {
        if (_made.TryGetValue((segmentId, node), out var made))
        {
            return made;
        }

        if (_made.Count >= Most)
        {
            _made.Clear();
        }

        return _made.GetOrAdd((segmentId, node), static (key, make) => make(key.SegmentId, key.Node), make);
    }
}
