using System.Buffers.Binary;
using RocksDbSharp;

namespace KawaOrleans.Benchmarks.Engine.Peers;

/// <summary>RocksDB: big-endian numbers as keys, no compression, one write batch a transaction.</summary>
internal sealed class RocksDbPeer : IPeer
{
    public static readonly PeerPresence Presence = PeerPresence.Probe("RocksDB", () =>
    {
        _ = new DbOptions();
        return $"package RocksDB {PeerPresence.PackageVersion("RocksDB")}";
    });

    private readonly RocksDb _database;
    private readonly WriteOptions _write;
    private long _next;

    public RocksDbPeer(string folder, bool durable)
    {
        _database = RocksDb.Open(new DbOptions().SetCreateIfMissing(true).SetWriteBufferSize(64UL << 20).SetCompression(Compression.No), folder);
        _write = new WriteOptions().SetSync(durable);
    }

    public string Name => Presence.Name;

    public void AppendDurably(BodySize size, int batches)
    {
        Span<byte> key = stackalloc byte[8];
        using var together = new WriteBatch();
        for (var batch = 0; batch < batches; batch++)
        {
            together.Clear();
            for (var i = 0; i < BodySize.BatchEvents; i++)
            {
                BinaryPrimitives.WriteInt64BigEndian(key, _next++);
                together.Put(key, size.Body(i).AsSpan());
            }

            _database.Write(together, _write);
        }
    }

    public int Scan()
    {
        using var entries = _database.NewIterator();
        var count = 0;
        var sum = 0L;
        for (entries.SeekToFirst(); entries.Valid(); entries.Next())
        {
            sum += entries.GetValueSpan()[0];
            count++;
        }

        return sum < 0 ? -1 : count;
    }

    public void Dispose() => _database.Dispose();
}
