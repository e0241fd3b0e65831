using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;

namespace KawaOrleans.Benchmarks.Servers;

/// <summary>Ours, one silo, in the same table.</summary>
internal sealed class KawaServer(Run run) : EventServer
{
    private readonly SiloCluster _cluster = new(run, 1);
    private ILog? _log;

    public override string Name => "kawa";

    public override bool SyncsFirst => true;

    public override string Acknowledges => "after the sync";

    public override string Batches => "AppendAsync of 1,000 events, atomic";

    private ILog Log => _log ??= _cluster.NewLog("peers");

    public override async Task<long> ReadAsync(long events)
    {
        var count = 0L;
        await foreach (var e in Log.ReadAsync())
        {
            count += e.Data.Length == SampleEvents.DataBytes ? 1 : 0;
            if (count == events)
            {
                break;
            }
        }

        return count;
    }

    public override long DiskBytes() => Wait.For(() => Log.DescribeAsync()).Bytes;

    public override void Dispose() => _cluster.Dispose();

    protected override Task AppendOneAsync(int caller) => Log.AppendAsync(SampleEvents.Single());

    protected override Task AppendManyAsync(int caller) => Log.AppendAsync(SampleEvents.Batch());

    protected override void Crash() => _cluster.Silos[0].Kill();

    protected override void StartAndConnect()
    {
        var name = Log.Name;
        _cluster.Silos[0].Start();
        _cluster.Connect();
        _log = _cluster.Client.Log(name);
    }

    protected override bool IsStillStarting(Exception e) => e is KawaException { IsRetryable: true };
}
