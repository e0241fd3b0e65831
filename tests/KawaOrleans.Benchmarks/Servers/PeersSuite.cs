using KawaOrleans.Benchmarks.Engine.Peers;
using KawaOrleans.Benchmarks.Servers.Rows;

namespace KawaOrleans.Benchmarks.Servers;

/// <summary>The same work on servers that users would pick instead.</summary>
internal sealed class PeersSuite : Suite
{
    public override string Name => "peers";

    public override string Description => "KawaOrleans beside Redis Streams, PostgreSQL and NATS JetStream, each started on loopback and stopped again.";

    public override IReadOnlyList<Row> Rows { get; } = [.. AppendRates.Rows, ReadRates.Row, BytesPerEvent.Row, Restarts.Row];

    public override IEnumerable<(string Name, string Value)> Peers =>
    [
        .. ((IEnumerable<ServerPresence>)[RedisServer.Presence, PostgresServer.Presence, NatsServer.Presence]).Select(p => (p.Name, p.Version)),
        ("clients", string.Join(", ", ((string[])["StackExchange.Redis", "Npgsql", "NATS.Net"]).Select(p => $"{p} {PeerPresence.PackageVersion(p)}"))),
    ];
}
