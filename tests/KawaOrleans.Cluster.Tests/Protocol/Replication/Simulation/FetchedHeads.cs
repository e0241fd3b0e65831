using System.Text;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>The heads of streams before a segment, read from the events of other nodes. Where a node has the segments itself, the storage
/// engine's own heads are used.</summary>
internal sealed class FetchedHeads : IStreamHeads
{
    private readonly Dictionary<string, StreamHead> _heads = new(StringComparer.Ordinal);

    /// <summary>Adds events, in order.</summary>
    public void Add(IEnumerable<RecordedEvent> events)
    {
        foreach (var e in events)
        {
            _heads[e.Stream] = new StreamHead(e.Revision, e.Position, e.Recorded.UtcTicks);
        }
    }

    public StreamHead? Find(StreamName name) => _heads.TryGetValue(Encoding.UTF8.GetString(name.Utf8), out var head) ? head : null;
}
