using System.Globalization;
using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Loopback;
using StackExchange.Redis;

namespace KawaOrleans.Benchmarks.Servers;

/// <summary>Redis Streams with an append-only file. One stream holds all events in one order, as a log does.</summary>
internal sealed class RedisServer : EventServer
{
    private const string Key = "events";
    private const int PageEvents = 1000;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly string _fsync;
    private readonly int _port = Ports.Take();
    private Leash? _server;
    private ConnectionMultiplexer? _connection;

    public RedisServer(Run run, string fsync)
    {
        _folder = run.Scratch.Folder($"redis-{fsync}");
        _fsync = fsync;
        StartAndConnect();
    }

    public static ServerPresence Presence { get; } = ServerPresence.Find("Redis", "redis-server", "redis-server");

    public override string Name => $"redis-{_fsync}";

    public override bool SyncsFirst => _fsync == "always";

    public override string Acknowledges => SyncsFirst ? "after the sync (appendfsync always)" : "before the sync (appendfsync everysec)";

    public override string Batches => "MULTI of 1,000 XADD, atomic";

    private IDatabase Database => _connection!.GetDatabase();

    public override async Task<long> ReadAsync(long events)
    {
        var count = 0L;
        for (var after = (RedisValue)"-"; count < events;)
        {
            var page = await Database.StreamRangeAsync(Key, after, "+", (int)Math.Min(PageEvents, events - count));
            foreach (var entry in page)
            {
                count += ((byte[])entry["d"]!).Length == SampleEvents.DataBytes ? 1 : 0;
            }

            if (page.Length == 0)
            {
                break;
            }

            after = $"({page[^1].Id}";
        }

        return count;
    }

    public override long DiskBytes() => BytesIn(_folder);

    public override void Dispose()
    {
        _connection?.Dispose();
        _server?.Dispose();
        Scratch.Remove(_folder);
    }

    protected override Task AppendOneAsync(int caller) => Database.StreamAddAsync(Key, Fields());

    protected override async Task AppendManyAsync(int caller)
    {
        var batch = Database.CreateTransaction();
        var added = Enumerable.Range(0, SampleEvents.BatchEvents).Select(_ => batch.StreamAddAsync(Key, Fields())).ToList();
        if (!await batch.ExecuteAsync())
        {
            throw new InvalidOperationException("Redis did not execute the batch.");
        }

        await Task.WhenAll(added);
    }

    protected override void Crash()
    {
        _connection!.Dispose();
        _server!.Dispose();
    }

    protected override void StartAndConnect()
    {
        _server = Leash.Start($"{_folder}.log", _folder,
        [
            Presence.Program!, "--port", _port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder,
            "--save", "", "--appendonly", "yes", "--appendfsync", _fsync, "--auto-aof-rewrite-percentage", "0",
        ]);
        _server.Await(StartLimit, () => Ports.IsOpen(_port));
        _connection = ConnectionMultiplexer.Connect($"127.0.0.1:{_port},syncTimeout=30000,asyncTimeout=30000");
    }

    protected override bool IsStillStarting(Exception e) => e is RedisException or TimeoutException;

    private static NameValueEntry[] Fields()
    {
        var e = SampleEvents.Next();
        return [new("s", e.Stream), new("t", e.Type), new("i", e.Id.ToByteArray()), new("d", e.Data)];
    }
}
