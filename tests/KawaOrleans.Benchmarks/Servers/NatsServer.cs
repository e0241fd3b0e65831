using System.Globalization;
using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Loopback;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace KawaOrleans.Benchmarks.Servers;

/// <summary>NATS JetStream with a file store. The subject is the event's stream; id, type and data are the message.</summary>
internal sealed class NatsServer : EventServer
{
    private const string Stream = "events";
    private const int HeadBytes = 28;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly int _port = Ports.Take();
    private Leash? _server;
    private NatsConnection? _connection;
    private NatsJSContext? _context;

    public NatsServer(Run run)
    {
        _folder = run.Scratch.Folder("nats");
        StartAndConnect();
        Wait.For(async () => await _context!.CreateStreamAsync(new StreamConfig(Stream, [$"{Stream}.>"]) { Storage = StreamConfigStorage.File }));
    }

    public static ServerPresence Presence { get; } = ServerPresence.Find("NATS", "nats-server", "nats-server");

    public override string Name => "nats";

    public override bool SyncsFirst => false;

    public override string Acknowledges => "before the sync (2.9 syncs every two minutes; sync_interval: always came with 2.10)";

    public override string Batches => "1,000 messages published at once, not atomic";

    public override async Task<long> ReadAsync(long events)
    {
        var consumer = await _context!.CreateOrderedConsumerAsync(Stream);
        var count = 0L;
        await foreach (var message in consumer.ConsumeAsync<byte[]>(opts: new NatsJSConsumeOpts { MaxMsgs = 10_000 }))
        {
            count += message.Data!.Length == HeadBytes + SampleEvents.DataBytes ? 1 : 0;
            if (count == events)
            {
                break;
            }
        }

        return count;
    }

    public override long DiskBytes() => BytesIn(_folder);

    public override void Dispose()
    {
        Disconnect();
        _server?.Dispose();
        Scratch.Remove(_folder);
    }

    protected override async Task AppendOneAsync(int caller)
    {
        var (subject, message) = Message();
        var answer = await _context!.PublishAsync(subject, message);
        answer.EnsureSuccess();
    }

    protected override async Task AppendManyAsync(int caller)
    {
        var published = new NatsJSPublishConcurrentFuture[SampleEvents.BatchEvents];
        for (var i = 0; i < published.Length; i++)
        {
            var (subject, message) = Message();
            published[i] = await _context!.PublishConcurrentAsync(subject, message);
        }

        foreach (var future in published)
        {
            await using (future)
            {
                (await future.GetResponseAsync()).EnsureSuccess();
            }
        }
    }

    protected override void Crash()
    {
        Disconnect();
        _server!.Dispose();
    }

    protected override void StartAndConnect()
    {
        _server = Leash.Start(
            $"{_folder}.log", _folder, [Presence.Program!, "-a", "127.0.0.1", "-p", _port.ToString(CultureInfo.InvariantCulture), "-js", "-sd", _folder]);
        _server.Await(StartLimit, () => Ports.IsOpen(_port));
        _connection = new NatsConnection(new NatsOpts { Url = $"nats://127.0.0.1:{_port}" });
        _context = new NatsJSContext(_connection);
    }

    protected override bool IsStillStarting(Exception e) => e is NatsException;

    private static (string Subject, byte[] Message) Message()
    {
        var e = SampleEvents.Next();
        var message = new byte[HeadBytes + e.Data.Length];
        e.Id.TryWriteBytes(message);
        System.Text.Encoding.UTF8.GetBytes(e.Type, message.AsSpan(16));
        e.Data.CopyTo(message.AsMemory(HeadBytes));
        return ($"{Stream}.{e.Stream}", message);
    }

    private void Disconnect()
    {
        if (_connection is { } connection)
        {
            Wait.For(async () => await connection.DisposeAsync());
            _connection = null;
        }
    }
}
