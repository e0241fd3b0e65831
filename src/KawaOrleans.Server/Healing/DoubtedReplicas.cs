using System.Collections.Concurrent;

namespace KawaOrleans.Server.Healing;

/// <summary>Segments in whose replica here somebody met what does not verify. It is read whole before that is believed: what a reader got may have
/// been spoilt on its way.</summary>
internal sealed class DoubtedReplicas
{
    private readonly ConcurrentDictionary<Guid, bool> _doubted = new();

    /// <summary>Called when one comes that was not doubted yet.</summary>
    public Action Added { get; set; } = static () => { };

    public void Add(Guid segmentId)
    {
        if (_doubted.TryAdd(segmentId, true))
        {
            Added();
        }
    }

    /// <summary>Those that came since the last time.</summary>
    public IReadOnlyList<Guid> Take() => [.. _doubted.Keys.Where(id => _doubted.TryRemove(id, out _))];
}
