using KawaOrleans.Benchmarks.Engine.Peers;
using KawaOrleans.Benchmarks.Engine.Rows;

namespace KawaOrleans.Benchmarks.Engine;

/// <summary>The storage engine alone: no cluster, no network.</summary>
internal sealed class EngineSuite : Suite
{
    public override string Name => "engine";

    public override string Description => "The storage engine against other stores and against the machine's own limits.";

    public override IReadOnlyList<Row> Rows { get; } =
    [
        MappedAppend.Row,
        MappedBatch.Row,
        TypedAppend.Row,
        DurableBatch.Row,
        GroupCommit.Row,
        Scanning.Row,
        RandomRead.Row,
        SealedRead.Row,
        CrashOpen.Row,
        Verify.Row,
        Sustained.Row,
        Roll.Row,
        DiskBytes.Row,
        Allocations.Row,
        ChecksumLimits.Row,
    ];

    public override IEnumerable<(string Name, string Value)> Peers =>
        ((IEnumerable<PeerPresence>)[FasterLogPeer.Presence, RocksDbPeer.Presence, SqlitePeer.Presence, LmdbPeer.Presence]).Select(p => (p.Name, p.Version));
}
