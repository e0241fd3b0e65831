using System.Collections.Concurrent;

namespace KawaOrleans;

/// <summary>In which order the replicas of a segment are asked: the primary first, and those last that did not answer a short while ago. None is left out.</summary>
/// <remarks>
/// Only a preference: whatever it says, a replica answers for what it is asked or refuses. A node that does not answer is avoided for all segments, twice as
/// long each time; when the time is over, one caller tries it and the others go on avoiding it. A replica that is behind or damaged is avoided for its
/// segment alone.
/// </remarks>
internal sealed class ReplicaOrder(TimeProvider time)
{
    private const int MostReplicas = 4096;

    private static readonly TimeSpan AvoidBehindFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AvoidDamagedFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AvoidNodeFor = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AvoidNodeForLongest = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Avoided> _nodes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(Guid SegmentId, string Node), Avoided> _replicas = new();

    /// <param name="segmentId">The segment.</param>
    /// <param name="nodes">Its nodes, the primary first.</param>
    public string[] Of(Guid segmentId, IReadOnlyList<string> nodes)
    {
        var order = new string[nodes.Count];
        var (next, last) = (0, order.Length);
        for (var i = nodes.Count - 1; i >= 0; i--)
        {
            if (IsAvoided(segmentId, nodes[i]))
            {
                order[--last] = nodes[i];
            }
        }

        foreach (var node in nodes)
        {
            if (Array.IndexOf(order, node, last) < 0)
            {
                order[next++] = node;
            }
        }

        return order;
    }

    public void Answered(string node)
    {
        if (!_nodes.IsEmpty)
        {
            _nodes.TryRemove(node, out _);
        }
    }

    public void Failed(Guid segmentId, string node, KawaException why)
    {
        if (why is NodeUnavailableException)
        {
            _nodes.AddOrUpdate(node, _ => Avoid(AvoidNodeFor), (_, before) => IsOver(before) ? Avoid(Twice(before.For)) : before);
            return;
        }

        if (_replicas.Count >= MostReplicas)
        {
            _replicas.Clear();
        }

        _replicas[(segmentId, node)] = Avoid(why is BehindException ? AvoidBehindFor : AvoidDamagedFor);
    }

    private static TimeSpan Twice(TimeSpan before) => before * 2 < AvoidNodeForLongest ? before * 2 : AvoidNodeForLongest;

    private bool IsAvoided(Guid segmentId, string node) =>
        (_nodes.TryGetValue(node, out var silent) && !(IsOver(silent) && _nodes.TryUpdate(node, Avoid(Twice(silent.For)), silent)))
        || (_replicas.TryGetValue((segmentId, node), out var replica) && !IsOver(replica));

    private bool IsOver(Avoided avoided) => time.GetElapsedTime(avoided.Since) >= avoided.For;

    private Avoided Avoid(TimeSpan length) => new(time.GetTimestamp(), length);

    private readonly record struct Avoided(long Since, TimeSpan For);
}
