using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;

namespace KawaOrleans.Benchmarks.Failover;

/// <summary>A log of three replicas whose segments double in size, and one silo of its that loses files of it. Shared by the rows about healing.</summary>
internal sealed class LostReplicas : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly List<ChainSegment> _sealed;

    private LostReplicas(ThreeSilos cluster, long segmentBytes)
    {
        Cluster = cluster;
        var (log, first) = cluster.NewReplicatedLog(ThreeSilos.Replicated with { SegmentBytes = segmentBytes });
        Silo = cluster.SiloOf(first.Ensemble.Select(node => node.Name).Single(node => node != first.Primary && node != cluster.Silos[0].Node));
        LogId = Wait.For(() => log.DescribeAsync()).Chain.LogId;
        List<ChainSegment> segments;
        do
        {
            FilledLog.Fill(log, 20 * SampleEvents.BatchEvents);
            segments = [.. Wait.For(() => cluster.Directory(log).GetChain()).Segments];
        }
        while (!segments.Exists(segment => !segment.IsOpen && segment.FileBytes >= segmentBytes));

        _sealed = segments.FindAll(segment => !segment.IsOpen && segment.Ensemble.Any(node => node.Name == Silo.Node));
        Largest = _sealed.MaxBy(segment => segment.FileBytes)!;
        Until(() => AreWhole);
    }

    public ThreeSilos Cluster { get; }

    /// <summary>The silo that loses files.</summary>
    public SiloProcess Silo { get; }

    public Guid LogId { get; }

    /// <summary>The largest segment that has ended.</summary>
    public ChainSegment Largest { get; }

    public static LostReplicas Of(Run run) => run.Fixtures.Get(() => new LostReplicas(ThreeSilos.Of(run), (long)run.Pick(128, 256) << 20));

    /// <summary>kill -9 of the silo, its replicas are deleted, and it starts again with this limit of healing.</summary>
    public void Lose(long? healingBytesPerSecond)
    {
        Silo.Kill();
        _sealed.ForEach(segment => File.Delete(PathOf(segment)));
        Silo.HealingBytesPerSecond = healingBytesPerSecond;
        Silo.Start();
    }

    /// <summary>Whether all of them are back.</summary>
    public bool AreWhole => _sealed.TrueForAll(IsThere);

    /// <summary>Whether the largest one is being copied, or is back.</summary>
    public bool IsLargestBegun => File.Exists(Path.Combine(Copies, $"{LogId:N}-{Path.GetFileName(PathOf(Largest))}")) || IsLargestWhole;

    /// <summary>Whether the largest one is back.</summary>
    public bool IsLargestWhole => IsThere(Largest);

    /// <summary>How many bytes all of them take.</summary>
    public long Bytes => _sealed.Sum(segment => segment.FileBytes);

    /// <summary>Whether copies are being made.</summary>
    public bool IsCopying => Directory.Exists(Copies) && Directory.EnumerateFiles(Copies).Any();

    /// <summary>Returns when it holds.</summary>
    public static void Until(Func<bool> holds)
    {
        for (var waited = Stopwatch.StartNew(); !holds();)
        {
            if (waited.Elapsed > Limit)
            {
                throw new TimeoutException($"Nothing was healed in {Limit}.");
            }

            Thread.Sleep(TimeSpan.FromMilliseconds(1));
        }
    }

    public void Dispose()
    {
        // It goes with its cluster.
    }

    private string Copies => Path.Combine(Silo.DataDirectory, "copies");

    private bool IsThere(ChainSegment segment) => File.Exists(PathOf(segment));

    private string PathOf(ChainSegment segment) => Path.Combine(Silo.DataDirectory, "logs", LogId.ToString("N"), $"{segment.Id:N}-{segment.Generation}.seg");
}
