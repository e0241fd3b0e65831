using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>The processor time that client and silos spend on what is measured: tells which of them is the limit where they share few cores.</summary>
internal sealed class ProcessorTime(SiloCluster cluster)
{
    private readonly List<double> _client = [];
    private readonly List<double> _silos = [];

    /// <summary>One round: answers the rate, and keeps what an event took.</summary>
    public double Round(Func<double> rate)
    {
        var (client, silos, started) = (Client(), Silos(), Stopwatch.GetTimestamp());
        var perSecond = rate();
        var events = perSecond * Stopwatch.GetElapsedTime(started).TotalSeconds;
        _client.Add((Client() - client).TotalSeconds / events);
        _silos.Add((Silos() - silos).TotalSeconds / events);
        return perSecond;
    }

    /// <summary>Medians of all rounds, those that warm up included.</summary>
    public string Describe() =>
        $"processor per event: client {UnitText.Seconds(Comparison.MedianOf(_client))}, silo {UnitText.Seconds(Comparison.MedianOf(_silos))}";

    private static TimeSpan Client() => ProcFile.Processor(Environment.ProcessId);

    private TimeSpan Silos() => cluster.Silos.Aggregate(TimeSpan.Zero, static (sum, silo) => sum + ProcFile.Processor(silo.ProcessId));
}
